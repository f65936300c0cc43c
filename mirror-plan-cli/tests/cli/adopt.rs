//! Taking over objects that somebody else made.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::Stdio;

use super::{Folder, SMALL, assert_shown};

/// The stack that owns the objects first.
pub(super) const OTHER: &str = r#"
stack "other" { region = "eu-west-1" }
vpc "lab" {
  cidr = "10.0.0.0/16"
  tags = { Name = "theirs", team = "network" }
}
subnet "a" {
  vpc  = vpc.lab
  cidr = "10.0.1.0/24"
}
output "vpc" { value = vpc.lab.id }
output "subnet" { value = subnet.a.id }
"#;

/// Calls EC2 as somebody else, in the wire form; returns the answer.
pub(super) fn ec2(folder: &Folder, query: &str) -> String {
    let mut server = folder
        .command("local serve --port 0")
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("mirror runs");
    let mut url = String::new();
    let stdout = server.stdout.take().expect("it is a pipe");
    BufReader::new(stdout).read_line(&mut url).expect("it says where it is");
    let address = url.trim().strip_prefix("http://").expect("it is a URL");
    let mut stream = TcpStream::connect(address).expect("the server listens");
    let body = format!("{query}&Version=2016-11-15");
    let request = format!(
        "POST / HTTP/1.1\r\nHost: ec2.eu-west-1.amazonaws.com\r\nConnection: close\r\n\
         Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\
         Authorization: AWS4-HMAC-SHA256 Credential=any/20260101/eu-west-1/ec2/aws4_request, \
         SignedHeaders=host, Signature=0\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(request.as_bytes()).expect("it reads");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("it answers");
    server.kill().expect("it was started");
    server.wait().expect("it was started");
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    answer
}

/// A folder with [`SMALL`], and the ids of a VPC and a subnet of the other stack.
fn estate() -> (Folder, String, String) {
    let folder = Folder::with(SMALL);
    folder.write("other.mirror.hcl", OTHER);
    folder.done("apply other.mirror.hcl --auto-approve");
    let id = |name: &str| {
        folder.done(&format!("output {name} --raw --stack other.mirror.hcl")).trim().to_owned()
    };
    let (vpc, subnet) = (id("vpc"), id("subnet"));
    (folder, vpc, subnet)
}

/// The same, except that nobody owns the VPC any more.
pub(super) fn free_estate() -> (Folder, String, String) {
    let (folder, vpc, subnet) = estate();
    ec2(&folder, &format!("Action=DeleteTags&ResourceId.1={vpc}&Tag.1.Key=mirror-plan:stack"));
    (folder, vpc, subnet)
}

#[test]
fn what_adopting_would_change_is_shown_and_then_only_tags_are_set() {
    let (folder, vpc, _) = free_estate();
    let adopt = format!("--local adopt vpc.lab {vpc} --stack small.mirror.hcl --auto-approve");
    assert_shown!(folder.mirror(&adopt), @r#"
    exit code: 0
    ----- stdout -----
    Adopting sets tags on this object, and does nothing else:

      vpc.lab = vpc-ID
          mirror-plan:address = "vpc.lab"
          mirror-plan:gen = "1"
          mirror-plan:stack = "small"

    After that, a plan shows:

    Plan for stack small in account 123456789012, Region eu-west-1.
    Each resource is marked with what happens to it:
      + create
      ~ update in-place

    mirror will perform the following actions:

      # vpc.lab will be updated in-place
      ~ vpc "lab" {
            id   = "vpc-ID"
          ~ tags = {
              ~ "Name" = "theirs" -> "lab"
              - "team" = "network" -> null
            }
            # (3 unchanged attributes hidden)
        }

      # mirror_filter.web will be created
      + mirror_filter "web" {
          + id         = (known after apply)
          + amazon_dns = false
          + rules      = [
              + {
                  + number           = 100
                  + action           = "accept"
                  + direction        = "ingress"
                  + protocol         = "tcp"
                  + source           = "0.0.0.0/0"
                  + destination      = "0.0.0.0/0"
                  + destination_port = 443
                },
            ]
          + tags       = {
              + "Name" = "web"
            }
        }

    Plan: 1 to add, 1 to change, 0 to destroy.

    ─────────────────────────────────────────────────────────────────────────────

    Plan digest: sha256:DIGEST

    Adoption complete! Resources: 1 adopted.
    ----- stderr -----
    vpc.lab: Adopted [id=vpc-ID]
    "#);
    assert_shown!(folder.done("local log").lines().filter(|l| l.contains("CreateTags")).count(), @"1");
    folder.done("apply small.mirror.hcl --auto-approve");
    let plan = folder.done("plan small.mirror.hcl");
    assert!(plan.starts_with("No changes."), "{plan}");
}

#[test]
fn what_cannot_be_adopted_is_refused_before_anything_is_tagged() {
    let (folder, vpc, subnet) = free_estate();
    let log = || folder.done("local log").matches("CreateTags").count();
    let before = log();
    let adopt = |what: &str| {
        let command = format!("--local adopt {what} --stack small.mirror.hcl --auto-approve");
        folder.mirror(&command)
    };
    assert_shown!(adopt("vpc.lab vpc-0a1b2c3d4e5f67890"), @"
    exit code: 1
    ----- stdout -----
    ----- stderr -----
    error[MP0413]: there is no VPC vpc-ID
     |
     = note: in `vpc.lab`
     = help: check the account and the Region
    ");
    assert_shown!(adopt(&format!("vpc.lab {subnet}")), @"
    exit code: 1
    ----- stdout -----
    ----- stderr -----
    error[MP0413]: `subnet-ID` is not a valid VPC id: expected vpc- and 17 hexadecimal digits
     |
     = note: in `vpc.lab`
     = note: `vpc.lab` is of kind VPC
    ");
    assert_shown!(adopt(&format!("vpc.lba {vpc}")), @"
    exit code: 1
    ----- stdout -----
    ----- stderr -----
    error[MP0413]: the stack declares no `vpc.lba`
     |
     = note: in `vpc.lba`
     = help: did you mean `vpc.lab`?
    ");
    assert_shown!(adopt(&format!("subnet.a {subnet}")), @"
    exit code: 1
    ----- stdout -----
    ----- stderr -----
    error[MP0413]: subnet-ID already belongs to stack other
     |
     = note: in `subnet.a`
     = note: it carries the tag `mirror-plan:stack`
     = help: take it out of that stack first: an object has one owner
    ");
    folder.done("apply small.mirror.hcl --auto-approve");
    assert_shown!(adopt(&format!("vpc.lab {vpc}")), @"
    exit code: 1
    ----- stdout -----
    ----- stderr -----
    error[MP0413]: `vpc.lab` is already vpc-ID
     |
     = note: in `vpc.lab`
    ");
    assert_shown!(
        folder.mirror(&format!("--local adopt vpc.lab {vpc} --stack small.mirror.hcl")),
        @"
    exit code: 1
    ----- stdout -----
    ----- stderr -----
    error[MP0604]: nobody can approve: the input is not a terminal, or MIRROR_INPUT is 0
     |
     = help: pass --auto-approve
    "
    );
    assert_eq!(log(), before);
}

#[test]
fn a_list_is_adopted_and_what_is_done_already_is_passed_over() {
    let (folder, vpc, _) = free_estate();
    folder.write("list", &format!("# by hand\n\nvpc.lab {vpc}\n"));
    let adopt = "--local adopt --from list --stack small.mirror.hcl --auto-approve";
    let first = folder.mirror(adopt);
    assert!(first.contains("Adoption complete! Resources: 1 adopted."), "{first}");
    assert_shown!(folder.mirror(adopt), @"
    exit code: 0
    ----- stdout -----
    ----- stderr -----
    vpc.lab: vpc-ID is already adopted
    ");
    folder.write("list", "vpc.lab\nvcp.lab vpc-0a1b2c3d4e5f67890\nvpc.lab i-0a1b2c3d4e5f67890\n");
    assert_shown!(folder.mirror(adopt), @"
    exit code: 1
    ----- stdout -----
    ----- stderr -----
    error[MP0413]: a line must be an address and an id
     |
     = note: line 1 of `list`: vpc.lab

    error[MP0413]: `vcp` is not a kind of resource
     |
     = note: line 2 of `list`: vcp.lab vpc-ID

    error[MP0413]: `i-ID` is not a valid VPC id: expected vpc- and 17 hexadecimal digits
     |
     = note: in `vpc.lab`
     = note: `vpc.lab` is of kind VPC
     = note: line 3 of `list`: vpc.lab i-ID
    ");
}
