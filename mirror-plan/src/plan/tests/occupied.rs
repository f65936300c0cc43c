//! Findings about what others have in objects that would be deleted.

use insta::assert_snapshot;

use super::*;
use crate::lint::check_removal;
use crate::observed::{Occupant, Occupation};
use crate::render::Palette;
use crate::render::diagnostic::human;

fn occupant(of: &Change, sort: Occupation, id: &str, name: Option<&str>) -> Occupant {
    Occupant { of: of.id.clone().unwrap(), sort, id: id.to_owned(), name: name.map(str::to_owned) }
}

#[test]
fn who_is_in_what_goes_is_told_by_what_goes() {
    let there = applied(&stack(lab()));
    let request = Request { mode: Mode::Destroy, ..Request::default() };
    let plan = plan(&stack(lab()), &there, &request).unwrap();
    let change = |address: &str| {
        let address: Address = address.parse().unwrap();
        plan.changes.iter().find(|change| change.address == address).unwrap()
    };
    let (subnet, group) = (change("subnet.target"), change("security_group.target"));
    let mut occupants = vec![
        occupant(group, Occupation::SecurityGroup, "sg-1", Some("theirs")),
        occupant(group, Occupation::Member, "i-1", None),
        occupant(change("internet_gateway.lab"), Occupation::Instance, "i-2", Some("web")),
        occupant(change("mirror_filter.tcp"), Occupation::MirrorSession, "tms-1", None),
    ];
    occupants.extend((0..13).map(|index| {
        occupant(subnet, Occupation::NetworkInterface, &format!("eni-{index}"), Some("a \"b\""))
    }));
    let found = check_removal(&stack(lab()), &plan, &occupants);
    assert_snapshot!(human(&found, Palette::plain()), @r#"
    error[MP1041]: `subnet.target` would be deleted, but network interface eni-0 "a \"b\"" is in it, and 12 more
     |
     = note: in `subnet.target`
     = note: network interface eni-1 "a \"b\"" is in it, too
     = note: network interface eni-2 "a \"b\"" is in it, too
     = note: network interface eni-3 "a \"b\"" is in it, too
     = note: network interface eni-4 "a \"b\"" is in it, too
     = note: network interface eni-5 "a \"b\"" is in it, too
     = note: network interface eni-6 "a \"b\"" is in it, too
     = note: network interface eni-7 "a \"b\"" is in it, too
     = note: network interface eni-8 "a \"b\"" is in it, too
     = note: network interface eni-9 "a \"b\"" is in it, too
     = note: network interface eni-10 "a \"b\"" is in it, too
     = note: 2 more are not listed
     = note: why `subnet.target` would be deleted: the stack is being destroyed
     = help: remove or move it first, or keep `subnet.target`

    error[MP1041]: `internet_gateway.lab` would be deleted, but instance i-2 "web" has a public address behind it
     |
     = note: in `internet_gateway.lab`
     = note: why `internet_gateway.lab` would be deleted: the stack is being destroyed
     = help: remove or move it first, or keep `internet_gateway.lab`

    error[MP1041]: `security_group.target` would be deleted, but security group sg-1 "theirs" names it in a rule, and one more
     |
     = note: in `security_group.target`
     = note: instance i-1 is in it, too
     = note: why `security_group.target` would be deleted: the stack is being destroyed
     = help: remove or move it first, or keep `security_group.target`

    error[MP1041]: `mirror_filter.tcp` would be deleted, but mirror session tms-1 uses it
     |
     = note: in `mirror_filter.tcp`
     = note: why `mirror_filter.tcp` would be deleted: the stack is being destroyed
     = help: remove or move it first, or keep `mirror_filter.tcp`
    "#);
}
