//! Saved plans: read back whole, or refused.

use super::*;

fn small(cidr: &str) -> Stack {
    stack(json!({"vpc.lab": {"cidr": cidr, "tags": {"Team": "sécurité"}}}))
}

#[test]
fn a_plan_file_reads_back_and_keeps_its_digest() {
    let plan = plan(&stack(lab()), &nothing(), &Request::default()).unwrap();
    let again = Plan::from_saved(plan.to_saved().as_bytes()).unwrap();
    assert_eq!(again, plan);
    assert_eq!(again.digest(), plan.digest());
    assert!(plan.to_saved().contains(plan.digest().as_str()));
}

#[test]
fn a_plan_file_with_any_changed_byte_is_refused() {
    // A replacement, so that there is something of everything: both phases, and what is expected.
    let observed = applied(&small("10.1.0.0/16"));
    let saved = plan(&small("10.0.0.0/16"), &observed, &Request::default()).unwrap().to_saved();
    let mut bytes = saved.clone().into_bytes();
    let mut passed = Vec::new();
    for at in 0..bytes.len() {
        for bit in 0..8 {
            bytes[at] ^= 1 << bit;
            if Plan::from_saved(&bytes).is_ok() {
                passed.push((at, bit));
            }
            bytes[at] ^= 1 << bit;
        }
        assert!(Plan::from_saved(&bytes[..at]).is_err(), "cut at {at}");
    }
    assert_eq!(passed, []);
    assert!(Plan::from_saved(format!("{saved}\n").as_bytes()).is_err());
    assert!(Plan::from_saved(&bytes).is_ok());
    println!("{} bytes, each of their bits turned over; cut at each of them", bytes.len());
}

#[test]
fn a_plan_file_says_why_it_is_refused() {
    let saved = plan(&small("10.0.0.0/16"), &nothing(), &Request::default()).unwrap().to_saved();
    let why = |text: String| Plan::from_saved(text.as_bytes()).unwrap_err().to_string();
    assert_snapshot!(why("{".to_owned()), @"it cannot be read");
    assert_snapshot!(why(saved.replace("\"format\": 1", "\"format\": 2")), @"it was written by another version of mirror, in format 2");
    assert_snapshot!(why(saved.replace("sha256:", "md5:")), @"its digest is wrong");
    let without = saved.lines().filter(|line| !line.contains("digest")).collect::<String>();
    assert_snapshot!(why(without), @"it has no digest");
    let edited = why(saved.replace("10.0.0.0/16", "10.0.0.0/17"));
    assert!(edited.starts_with("it is not, byte for byte, the plan sha256:"), "{edited}");
}
