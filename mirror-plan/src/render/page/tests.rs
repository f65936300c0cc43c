//! Pages of plans: complete, self-contained, and with the same structure whatever the values are.

use std::collections::BTreeMap;

use insta::assert_snapshot;
use proptest::prelude::*;
use roxmltree::{Document, ParsingOptions};
use serde_json::json;

use super::*;
use crate::code;
use crate::plan::tests::{applied, nothing, stack};
use crate::plan::{Request, plan};
use crate::stack::Stack;

/// A small stack with `note` wherever a text is allowed.
fn noted(note: &str) -> Stack {
    stack(json!({
        "mirror_target.nic": { "network_interface": "eni-0a1b2c3d4e5f67890", "description": note },
        "mirror_filter.web": {
            "description": note,
            "tags": { "note": note },
            "rules": [
                { "number": 10, "action": "reject", "protocol": "tcp", "port": "22",
                  "description": note },
                { "number": 20, "action": "accept", "direction": "ingress" },
                { "number": 30, "action": "accept", "direction": "ingress", "protocol": "tcp" },
            ],
        },
        "mirror_session.web": {
            "source": "eni-0a1b2c3d4e5f67891", "target": "@mirror_target.nic",
            "filter": "@mirror_filter.web", "number": 1, "description": note,
        },
    }))
}

fn planned(before: Option<&str>, after: &str) -> Plan {
    let observed = before.map_or_else(nothing, |before| applied(&noted(before)));
    plan(&noted(after), &observed, &Request::default()).unwrap()
}

fn finding(text: &str) -> Diagnostics {
    Diagnostic::warning(code::UNTOLD, text).note(text).help(text).into()
}

/// The page as a browser reads it, provided that it is also XML.
fn parsed(page: &str) -> Document<'_> {
    let options = ParsingOptions { allow_dtd: true, ..ParsingOptions::default() };
    Document::parse_with_options(page, options).unwrap_or_else(|error| panic!("{error}"))
}

/// The page of a plan that replaces everything.
fn page() -> String {
    let (plan, findings) = (planned(Some("old"), "new"), finding("look here"));
    Page::new(&plan).findings(&findings).to_string()
}

/// The part of the page from `begin` to `end`.
fn part(begin: &str, end: &str) -> String {
    let page = page();
    let from = &page[page.find(begin).unwrap()..];
    from[..from.find(end).unwrap() + end.len()].to_owned()
}

#[test]
fn a_page_says_of_what_it_is_and_what_was_found() {
    assert_snapshot!(part("<header>", "</header>"), @r#"
    <header>
    <h1>Plan for stack lab</h1>
    <p class="counts"><span class="create">3 to add</span> <span class="update">0 to change</span> <span class="destroy">3 to destroy</span></p>
    <dl>
    <dt>Account</dt><dd>123456789012</dd>
    <dt>Region</dt><dd>eu-west-1</dd>
    <dt>Digest</dt><dd>sha256:05f63c0b1afa6d5f62e4ba583d5abfb712898e4335efa2e5432f9d4400e0bb8d</dd>
    </dl>
    </header>
    "#);
    assert_snapshot!(part("<section class=\"findings\">", "</section>"), @r#"
    <section class="findings">
    <h2>Findings</h2>
    <pre class="warning">warning[MP0407]: look here
     |
     = note: look here
     = help: look here</pre>
    </section>
    "#);
}

#[test]
fn a_page_has_every_change_as_the_text_has_it() {
    assert_snapshot!(part("<section class=\"changes\">", "</section>"), @r#"
    <section class="changes">
    <h2>Changes</h2>
    <pre class="replace">
    <span class="comment">  # mirror_target.nic must be replaced</span>
    <span class="comment">  # (because AWS allows one mirror target for each load balancer or interface, so the old one is deleted first)</span>
    <span class="replace">-/+ mirror_target &quot;nic&quot; {</span>
    <span class="update">      ~ id          = &quot;tmt-4ca64cce3760f1912&quot; -&gt; (known after apply)</span>
    <span class="update">      ~ description = &quot;old&quot; -&gt; &quot;new&quot; # forces replacement</span>
            tags        = {
                &quot;Name&quot; = &quot;nic&quot;
            }
            # (1 unchanged attribute hidden)
        }
    </pre>
    <pre class="replace">
    <span class="comment">  # mirror_filter.web must be replaced</span>
    <span class="replace">+/- mirror_filter &quot;web&quot; {</span>
    <span class="update">      ~ id          = &quot;tmf-b88daa934ee10591d&quot; -&gt; (known after apply)</span>
    <span class="update">      ~ description = &quot;old&quot; -&gt; &quot;new&quot; # forces replacement</span>
    <span class="update">      ~ rules       = [</span>
    <span class="update">          ~ {</span>
                    number      = 10
                    direction   = &quot;egress&quot;
    <span class="update">              ~ description = &quot;old&quot; -&gt; &quot;new&quot;</span>
                    # (5 unchanged attributes hidden)
                },
    <span class="update">          ~ {</span>
                    number      = 10
                    direction   = &quot;ingress&quot;
    <span class="update">              ~ description = &quot;old&quot; -&gt; &quot;new&quot;</span>
                    # (5 unchanged attributes hidden)
                },
                # (2 unchanged elements hidden)
            ]
    <span class="update">      ~ tags        = {</span>
    <span class="update">          ~ &quot;note&quot; = &quot;old&quot; -&gt; &quot;new&quot;</span>
                # (1 unchanged element hidden)
            }
            # (1 unchanged attribute hidden)
        }
    </pre>
    <pre class="replace">
    <span class="comment">  # mirror_session.web must be replaced</span>
    <span class="comment">  # (because it cannot exist without mirror_target.nic, which is deleted before its replacement is created)</span>
    <span class="comment">  # capture gap: about 5 s, until the new session exists (calls 5 s)</span>
    <span class="replace">-/+ mirror_session &quot;web&quot; {</span>
    <span class="update">      ~ id            = &quot;tms-bc224405ef535df96&quot; -&gt; (known after apply)</span>
    <span class="update">      ~ target        = &quot;tmt-4ca64cce3760f1912&quot; -&gt; (known after apply: mirror_target.nic.id)</span>
    <span class="update">      ~ filter        = &quot;tmf-b88daa934ee10591d&quot; -&gt; (known after apply: mirror_filter.web.id)</span>
    <span class="destroy">      - packet_length = 8500 -&gt; null</span>
    <span class="update">      ~ description   = &quot;old&quot; -&gt; &quot;new&quot;</span>
            tags          = {
                &quot;Name&quot; = &quot;web&quot;
            }
            # (3 unchanged attributes hidden)
        }
    </pre>
    </section>
    "#);
}

#[test]
fn a_page_has_a_table_of_each_filter_in_the_order_of_its_rules() {
    assert_snapshot!(part("<section class=\"filters\">", "</section>"), @r#"
    <section class="filters">
    <h2>What the filters mirror</h2>
    <p>The first rule that matches a packet decides. Ingress is towards the source.</p>
    <table>
    <caption><strong>mirror_filter.web</strong>
    <span class="replace">replace</span>
    used by mirror_session.web</caption>
    <thead><tr><th>rule</th><th>ingress</th><th>egress</th></tr></thead>
    <tbody>
    <tr><th>10</th><td class="reject">reject tcp 0.0.0.0/0 to 0.0.0.0/0 port 22<br/><small>new</small></td><td class="reject">reject tcp 0.0.0.0/0 port 22 to 0.0.0.0/0<br/><small>new</small></td></tr>
    <tr><th>20</th><td class="accept">accept all 0.0.0.0/0 to 0.0.0.0/0</td><td></td></tr>
    <tr><th>30</th><td class="accept idle">accept tcp 0.0.0.0/0 to 0.0.0.0/0<br/><small>decides nothing after rule 20</small></td><td></td></tr>
    <tr><th>else</th><td class="reject">not mirrored</td><td class="reject">not mirrored</td></tr>
    </tbody>
    </table>
    </section>
    "#);
}

#[test]
fn the_parts_of_a_page_have_their_order() {
    let page = page();
    let parts =
        ["<header>", "\"path\"", "<svg", "\"findings\"", "\"changes\"", "\"filters\"", "</html>"];
    let places: Vec<_> = parts.iter().map(|part| page.find(part)).collect();
    assert!(places.is_sorted() && places[0].is_some(), "{places:?}");
}

#[test]
fn a_page_asks_nobody_for_anything() {
    let page = Page::new(&planned(None, "x")).findings(&finding("x")).to_string();
    let names = ["src", "href", "srcset", "action", "data", "poster", "xlink:href"];
    for element in parsed(&page).descendants() {
        assert_ne!(element.tag_name().name(), "script");
        assert_ne!(element.tag_name().name(), "link");
        for attribute in element.attributes() {
            assert!(!names.contains(&attribute.name()), "{attribute:?}");
            assert!(!attribute.name().starts_with("on"), "{attribute:?}");
        }
    }
    let urls: Vec<&str> = page.matches("url(").collect();
    assert_eq!(urls.len(), page.matches("url(#mirror-tip)").count());
    assert!(!page.contains("@import") && !page.contains("https:"));
    assert_eq!(page.matches("http:").count(), 1, "the name of SVG, which nobody looks up");
    assert!(page.contains("default-src 'none'"));
}

#[test]
fn an_empty_plan_and_a_plan_to_destroy_have_a_page() {
    let there = applied(&noted("x"));
    let empty = plan(&noted("x"), &there, &Request::default()).unwrap();
    assert!(Page::new(&empty).to_string().contains("<p class=\"counts\">No changes.</p>"));
    let request = Request { mode: Mode::Destroy, ..Request::default() };
    let destroy = plan(&noted("x"), &there, &request).unwrap();
    let page = Page::new(&destroy).to_string();
    assert!(page.contains("<h1>Plan to destroy stack lab</h1>"));
    assert_eq!(page.matches("<pre class=\"destroy\">").count(), 3);
}

/// How many elements of each name and class there are.
fn structure(page: &str) -> BTreeMap<(String, String), usize> {
    let mut counts = BTreeMap::new();
    for element in parsed(page).descendants().filter(roxmltree::Node::is_element) {
        let class = element.attribute("class").unwrap_or_default().to_owned();
        *counts.entry((element.tag_name().name().to_owned(), class)).or_default() += 1;
    }
    counts
}

/// All text on the page.
fn written(page: &str) -> String {
    parsed(page).root_element().descendants().filter_map(|node| node.text()).collect()
}

proptest! {
    #[test]
    fn no_value_is_more_than_text(note in "[^\\n\u{0}-\u{1f}]{1,60}|.*[<>&\"'`\\]]{1,9}.*") {
        prop_assume!(!note.trim().is_empty() && !note.contains('\n'));
        let note = format!("n{note}"); // one that begins with @ would be a reference here
        let page = |note: &str| {
            Page::new(&planned(None, note)).findings(&finding(note)).to_string()
        };
        let (plain, wild) = (page("n"), page(&note));
        prop_assert_eq!(structure(&wild), structure(&plain));
        let simple = |c: char| !c.is_control() && !crate::value::is_invisible(c);
        if note.chars().all(simple) && !note.contains(['"', '\\', '$', '%']) {
            prop_assert!(written(&wild).contains(&note), "{note:?}");
        }
    }
}
