//! A stack that uses what others own: it may use exactly what its file names.

use mirror_local::Cloud;
use mirror_plan::iam::Purpose;
use mirror_plan::observed::Observed;
use mirror_plan::plan::Mode;
use mirror_plan::stack::Stack;
use mirror_tests::{Rig, config, stack};

use super::{Attached, run, text, texts};

/// A network that belongs to others, with at least two objects of each kind, one of which the borrower names.
const THEIRS: &str = r#"
stack "theirs" { region = "eu-west-1" }

vpc "v" {
  count = 2
  cidr  = "10.9.0.0/16"
}

subnet "s" {
  count = 2
  vpc   = vpc.v[0]
  cidr  = "10.9.${count.index}.0/24"
}

security_group "g" {
  count = 2
  vpc   = vpc.v[0]
}

instance "i" {
  count         = 4
  instance_type = "t3.micro"
  subnet        = subnet.s[0]
}

mirror_target "t" {
  count             = 2
  network_interface = instance.i[count.index]
}

mirror_filter "f" { count = 2 }
"#;

/// An account with the network of others, and the stack that borrows from it.
async fn lent() -> (Rig, Stack) {
    let rig = Rig::instant();
    let theirs = stack(THEIRS);
    run(&rig, &theirs, Mode::Apply).await.unwrap();
    let ec2 = aws_sdk_ec2::Client::new(&config(&rig.cloud));
    ec2.create_key_pair().key_name("theirs").send().await.unwrap();
    let observed = rig.observe(&theirs).await;
    let borrower = stack(&borrowing(&observed));
    (rig, borrower)
}

/// The file of the borrower, with the ids of what it names.
fn borrowing(observed: &Observed) -> String {
    let found = |address: &str, attribute: &str| -> String {
        let found = observed.current(&address.parse().unwrap()).expect(address);
        found.computed[attribute].clone().expect(attribute)
    };
    let image = observed.images.values().next().expect("an instance has an image").to_string();
    [
        ("SUBNET", found("subnet.s[0]", "id")),
        ("VPC", found("vpc.v[0]", "id")),
        ("GROUP", found("security_group.g[0]", "id")),
        ("INTERFACE", found("instance.i[3]", "network_interface")),
        ("TARGET", found("mirror_target.t[0]", "id")),
        ("FILTER", found("mirror_filter.f[0]", "id")),
        ("AMI", image),
    ]
    .iter()
    .fold(include_str!("borrowing.mirror.hcl").to_owned(), |text, (name, id)| {
        text.replace(&format!("\"{name}\""), &format!("\"{id}\""))
    })
}

/// The life of a borrower, from nothing to nothing.
async fn live(rig: &Rig, borrower: &Stack) -> Result<(), String> {
    run(rig, borrower, Mode::Apply).await?;
    run(rig, borrower, Mode::Destroy).await
}

#[tokio::test]
async fn what_the_file_names_of_others_can_be_used() {
    let (rig, borrower) = lent().await;
    let theirs = rig.observe(&stack(THEIRS)).await;
    Attached::printed(&borrower, [Purpose::Apply]).attach(&rig.cloud);
    live(&rig, &borrower).await.unwrap();
    rig.cloud.set_policies(Vec::new());
    assert_eq!(rig.observe(&stack(THEIRS)).await, theirs);
}

/// An instance without security groups gets the default group of its VPC, which nobody owns.
#[tokio::test]
async fn an_instance_without_groups_can_be_launched() {
    let rig = Rig::instant();
    let alone = stack(
        r#"
        stack "alone" { region = "eu-west-1" }
        vpc "v" { cidr = "10.0.0.0/16" }
        subnet "s" {
          vpc  = vpc.v
          cidr = "10.0.1.0/24"
        }
        instance "i" {
          instance_type = "t3.micro"
          subnet        = subnet.s
        }
        "#,
    );
    Attached::printed(&alone, [Purpose::Apply]).attach(&rig.cloud);
    live(&rig, &alone).await.unwrap();
}

#[tokio::test]
async fn each_thing_of_others_is_named_for_a_reason() {
    let (_, borrower) = lent().await;
    let printed = Attached::printed(&borrower, [Purpose::Apply]);
    let (mut tried, mut spared) = (0, Vec::new());
    for (sid, arn) in named(&printed) {
        let (rig, borrower) = lent().await;
        without(&printed, &sid, &arn).attach(&rig.cloud);
        tried += 1;
        if live(&rig, &borrower).await.is_ok() {
            spared.push(format!("{sid}: {arn}"));
        }
    }
    println!("{tried} things of others, each of them needed");
    assert!(tried >= 8, "{tried}");
    assert_eq!(spared, Vec::<String>::new());
}

/// The resources in the statements whose names begin with `Use`, except those for a modification that
/// this stack does not make.
fn named(printed: &Attached) -> Vec<(String, String)> {
    let uses = printed.statements().filter(|statement| text(&statement["Sid"]).starts_with("Use"));
    let uses = uses.filter(|statement| {
        let actions = texts(&statement["Action"]);
        !actions.iter().all(|action| action.starts_with("ec2:Modify"))
    });
    uses.flat_map(|statement| {
        let sid = text(&statement["Sid"]);
        texts(&statement["Resource"]).into_iter().map(move |arn| (sid.clone(), arn))
    })
    .collect()
}

/// The same policies without a resource of a statement.
fn without(printed: &Attached, sid: &str, arn: &str) -> Attached {
    let mut changed = printed.clone();
    for policy in &mut changed.0 {
        let statements = policy["Statement"].as_array_mut().unwrap();
        for statement in statements.iter_mut().filter(|s| s["Sid"] == sid) {
            let mut left = texts(&statement["Resource"]);
            left.retain(|left| left != arn);
            statement["Resource"] = left.into();
        }
        statements.retain(|statement| !texts(&statement["Resource"]).is_empty());
    }
    changed
}

#[tokio::test]
async fn what_the_file_does_not_name_of_others_cannot_be_used() {
    let (rig, borrower) = lent().await;
    let theirs = rig.observe(&stack(THEIRS)).await;
    let printed = Attached::printed(&borrower, [Purpose::Apply]);
    let id = |address: &str| theirs.current(&address.parse().unwrap()).unwrap().id.to_string();
    let interface = |address: &str| {
        let found = theirs.current(&address.parse().unwrap()).unwrap();
        found.computed["network_interface"].clone().unwrap()
    };
    // The same file with the second of everything in place of the first, one at a time.
    let text = borrowing(&theirs);
    let swaps = [
        (id("vpc.v[0]"), id("vpc.v[1]")),
        (id("subnet.s[0]"), id("subnet.s[1]")),
        (id("security_group.g[0]"), id("security_group.g[1]")),
        (id("mirror_target.t[0]"), id("mirror_target.t[1]")),
        (id("mirror_filter.f[0]"), id("mirror_filter.f[1]")),
        (interface("instance.i[3]"), interface("instance.i[2]")),
    ];
    for (named, other) in swaps {
        let swapped = stack(&text.replace(&named, &other));
        printed.attach(&rig.cloud);
        let outcome = run(&rig, &swapped, Mode::Apply).await;
        let error = outcome.expect_err(&other);
        assert!(error.contains("UnauthorizedOperation"), "{other}: {error}");
        clear(&rig.cloud, &rig, &swapped).await;
    }
}

/// Removes what was made, with all permissions.
async fn clear(cloud: &Cloud, rig: &Rig, made: &Stack) {
    cloud.set_policies(Vec::new());
    run(rig, made, Mode::Destroy).await.unwrap();
}
