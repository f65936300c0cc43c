//! Moves: the same objects under other addresses.

use insta::assert_snapshot;
use serde_json::json;

use super::*;

fn with_moves(resources: Json, moves: &[(&str, &str)]) -> Stack {
    let mut builder = Stack::builder("lab".parse().unwrap());
    for (address, declared) in stack(resources).resources {
        builder.declare(address, declared);
    }
    for (from, to) in moves {
        builder.moved(from.parse().unwrap(), to.parse().unwrap());
    }
    builder.build().unwrap().0
}

fn vpc(name: &str) -> Json {
    json!({ "cidr": "10.0.0.0/16", "tags": { "Name": name } })
}

#[test]
fn a_chain_of_moves_is_one_change_of_tags() {
    let observed = applied(&stack(json!({ "vpc.a": vpc("x") })));
    let chain = [("vpc.a", "vpc.b"), ("vpc.b", "vpc.c")];
    assert_snapshot!(planned(&with_moves(json!({ "vpc.c": vpc("x") }), &chain), &observed), @"
    Move vpc.c: 
     0 tags vpc.c#1
    ");
    assert_snapshot!(planned(&with_moves(json!({ "vpc.c": vpc("y") }), &chain), &observed), @"
    Update vpc.c: `tags` differs
     0 tags vpc.c#1
    ");
}

#[test]
fn of_two_that_would_have_one_address_the_nearer_one_stays() {
    let observed = applied(&stack(json!({ "vpc.a": vpc("x"), "vpc.b": vpc("x") })));
    let moves = [("vpc.a", "vpc.b"), ("vpc.b", "vpc.c")];
    assert_snapshot!(planned(&with_moves(json!({ "vpc.c": vpc("x") }), &moves), &observed), @"
    Delete vpc.a: it is not in the stack; it should move to vpc.c, but another object already has that address
    Move vpc.c: 
     0 DeleteVpc vpc.a#1
     1 tags vpc.c#1
    ");
    let observed = applied(&stack(json!({ "vpc.a": vpc("x"), "vpc.c": vpc("x") })));
    assert_snapshot!(planned(&with_moves(json!({ "vpc.c": vpc("x") }), &moves), &observed), @"
    Delete vpc.a: it is not in the stack; it should move to vpc.c, but another object already has that address
     0 DeleteVpc vpc.a#1
    ");
}

#[test]
fn what_a_replacement_left_over_does_not_move_and_goes() {
    let mut observed = applied(&stack(json!({ "vpc.a": vpc("x") })));
    let address: Address = "vpc.a".parse().unwrap();
    let newer = Found { generation: 2, ..observed.owned[&address][0].clone() };
    observed.owned.get_mut(&address).unwrap().push(newer);
    let moved = with_moves(json!({ "vpc.b": vpc("x") }), &[("vpc.a", "vpc.b")]);
    assert_snapshot!(planned(&moved, &observed), @"
    Delete vpc.a: it is not in the stack
    Move vpc.b: 
     0 DeleteVpc vpc.a#1
     1 tags vpc.b#2
    ");
}

#[test]
fn what_moves_to_a_place_beyond_the_count_goes_from_where_it_was() {
    let observed = applied(&stack(json!({ "vpc.a[0]": vpc("x"), "vpc.a[1]": vpc("x") })));
    let moved = with_moves(json!({ "vpc.b[0]": vpc("x") }), &[("vpc.a", "vpc.b")]);
    assert_snapshot!(planned(&moved, &observed), @"
    Delete vpc.a[1]: it is not in the stack
    Move vpc.b[0]: 
     0 DeleteVpc vpc.a[1]#1
     1 tags vpc.b[0]#1
    ");
}

#[test]
fn a_plan_saved_with_moves_reads_back_and_is_held_to_what_was_seen() {
    let observed = applied(&stack(json!({ "vpc.a": vpc("x") })));
    let moved = with_moves(json!({ "vpc.b": vpc("x") }), &[("vpc.a", "vpc.b")]);
    let plan = plan(&moved, &observed, &Request::default()).unwrap();
    let read: Plan = serde_json::from_str(&serde_json::to_string(&plan).unwrap()).unwrap();
    assert_eq!((read.digest(), &read), (plan.digest(), &plan));
    // A stale plan is recognized by what was seen, not by what it is called now.
    assert_eq!(plan.saw, fingerprints(&observed));
    assert_ne!(plan.saw, fingerprints(&observed.as_moved_in(&moved)));
}
