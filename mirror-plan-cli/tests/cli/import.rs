//! Moving in from Terraform.

use super::adopt::{OTHER, ec2};
use super::{Folder, assert_shown};

/// A state as Terraform writes it, with the objects that [`OTHER`] has made and others.
fn state(vpc: &str, subnet: &str) -> String {
    let instance = |attributes: &str| {
        format!(r#"{{ "schema_version": 1, "attributes": {attributes}, "private": "bnVsbA==" }}"#)
    };
    let resource = |head: &str, instances: &str| {
        format!(
            r#"{{ "mode": "managed", {head}, "provider": "provider[\"registry.terraform.io/hashicorp/aws\"]", "instances": [{instances}] }}"#
        )
    };
    let keyed = |key: &str, id: &str| {
        format!(
            r#"{{ "index_key": {key}, "schema_version": 1, "attributes": {{ "id": "{id}", "cidr_block": "10.0.1.0/24" }} }}"#
        )
    };
    let resources = [
        resource(
            r#""type": "aws_vpc", "name": "main""#,
            &instance(&format!(
                r#"{{ "id": "{vpc}", "arn": "arn:aws:ec2:eu-west-1:123456789012:vpc/{vpc}", "cidr_block": "10.0.0.0/16",
                "instance_tenancy": "default", "enable_dns_support": true, "ipv6_cidr_block": "2001:db8::/56",
                "ipv6_netmask_length": 0, "tags": {{ "Name": "theirs", "team": "network" }},
                "tags_all": {{ "Name": "theirs" }} }}"#
            )),
        ),
        resource(
            r#""module": "module.net", "type": "aws_subnet", "name": "a""#,
            &[keyed("\"eu-west-1a\"", subnet), keyed("1", "subnet-0a1b2c3d4e5f67890")].join(", "),
        ),
        resource(r#""type": "aws_route", "name": "out""#, &instance("{ \"id\": \"r-1\" }")),
        resource(r#""type": "aws_s3_bucket", "name": "logs""#, &instance("{ \"id\": \"logs\" }")),
        resource(
            r#""type": "aws_lb", "name": "web""#,
            &instance("{ \"id\": \"arn:x\", \"load_balancer_type\": \"application\" }"),
        ),
        resource(
            r#""type": "aws_vpc", "name": "main-2""#,
            &format!(r#"{{ "deposed": "0a1b2c3d", "attributes": {{ "id": "{vpc}" }} }}"#),
        ),
        r#"{ "mode": "data", "type": "aws_ami", "name": "x", "instances": [] }"#.to_owned(),
    ];
    format!(
        r#"{{ "version": 4, "terraform_version": "1.11.4", "serial": 3, "lineage": "54ffbadc-74cc-4cc7-9b5a-c1462299f20e",
        "outputs": {{}}, "resources": [{}], "check_results": null }}"#,
        resources.join(", ")
    )
}

/// A folder with the state of somebody's Terraform, in an account that has its objects.
pub(super) fn folder() -> Folder {
    let folder = Folder::empty();
    folder.write("other.mirror.hcl", OTHER);
    folder.done("apply other.mirror.hcl --auto-approve");
    let id = |name: &str| folder.done(&format!("output {name} --raw")).trim().to_owned();
    let (vpc, subnet) = (id("vpc"), id("subnet"));
    for id in [&vpc, &subnet] {
        ec2(&folder, &format!("Action=DeleteTags&ResourceId.1={id}&Tag.1.Key=mirror-plan:stack"));
    }
    folder.write("terraform.tfstate", &state(&vpc, &subnet));
    folder
}

#[test]
fn a_state_becomes_a_stack_file_and_a_list_to_adopt() {
    let folder = folder();
    let import = "--local --region eu-west-1 import terraform terraform.tfstate --name estate";
    assert_shown!(folder.mirror(import), @r#"
    exit code: 0
    ----- stdout -----
    aws_vpc.main -> vpc.main (vpc-ID)
    module.net.aws_subnet.a["eu-west-1a"] -> subnet.net_a_eu-west-1a (subnet-ID)
    ----- stderr -----
    Left out: aws_s3_bucket.logs: a stack file has no such resource
    Left out: aws_lb.web: it is of type application, but a stack file has only Network and Gateway Load Balancers
    Left out: aws_vpc.main-2: the deposed object 0a1b2c3d is not imported
    Left out: module.net.aws_subnet.a[1]: there is no subnet subnet-ID
    Left out: aws_vpc.main: `ipv6_cidr_block`, which a stack file does not contain

    Wrote estate.mirror.hcl and estate.adoptions.
    To take the objects into the stack: mirror adopt --from estate.adoptions --stack estate.mirror.hcl --local
    "#);
    assert_shown!(folder.read("estate.mirror.hcl"), @r#"
    stack "estate" {
      region = "eu-west-1"
    }

    vpc "main" {
      cidr = "10.0.0.0/16"
      tags = { Name = "theirs", team = "network" }
    }

    subnet "net_a_eu-west-1a" {
      vpc               = vpc.main
      cidr              = "10.0.1.0/24"
      availability_zone = "eu-west-1a"
      tags              = { Name = "a" }
    }
    "#);
    assert_shown!(folder.read("estate.adoptions"), @"
    vpc.main vpc-ID
    subnet.net_a_eu-west-1a subnet-ID
    ");
    assert!(folder.mirror(import).contains("`estate.mirror.hcl` already exists"));
    folder.done("adopt --from estate.adoptions --stack estate.mirror.hcl --auto-approve");
    let plan = folder.done("plan estate.mirror.hcl");
    assert!(plan.starts_with("No changes."), "{plan}");
    folder.done("destroy estate.mirror.hcl --auto-approve");
}

#[test]
fn what_is_no_state_is_refused() {
    let folder = Folder::empty();
    folder.write("a", "resource \"aws_vpc\" \"a\" {}\n");
    folder.write("b", "{ \"version\": 3 }");
    folder.write("c", "{ \"version\": 4, \"resources\": [] }");
    let import = |file: &str| folder.mirror(&format!("--local import terraform {file}"));
    assert_shown!(["a", "b", "c"].map(import).concat(), @"
    exit code: 1
    ----- stdout -----
    ----- stderr -----
    error[MP0608]: this is not a Terraform state
     |
     = note: expected value at line 1 column 1
     = help: give the file `terraform.tfstate`, or what `terraform state pull` prints
    exit code: 1
    ----- stdout -----
    ----- stderr -----
    error[MP0608]: the state has version 3, but only version 4 can be read
     |
     = help: Terraform 0.12 and later write version 4: run `terraform apply` with such a version
    exit code: 1
    ----- stdout -----
    ----- stderr -----
    error[MP0608]: nothing in the state can be taken into a stack
    ");
}

#[test]
fn what_a_vpc_holds_becomes_a_stack_file_and_a_list_to_adopt() {
    let folder = folder();
    let state = folder.read("terraform.tfstate");
    let at = state.find("vpc-").expect("the state has the VPC");
    let vpc = &state[at..at + 21];
    let discover = format!("--local --region eu-west-1 discover --vpc {vpc} --name estate");
    assert_shown!(folder.mirror(&discover), @"
    exit code: 0
    ----- stdout -----
    vpc.theirs (vpc-ID)
    subnet.a (subnet-ID)
    ----- stderr -----
    Left out: rtb-ID: the main route table, which belongs to its VPC
    Left out: sg-ID: the default security group, which belongs to its VPC

    Wrote estate.mirror.hcl and estate.adoptions.
    To take the objects into the stack: mirror adopt --from estate.adoptions --stack estate.mirror.hcl --local
    ");
    assert_shown!(folder.read("estate.mirror.hcl"), @r#"
    stack "estate" {
      region = "eu-west-1"
    }

    vpc "theirs" {
      cidr = "10.0.0.0/16"
      tags = { team = "network" }
    }

    subnet "a" {
      vpc               = vpc.theirs
      cidr              = "10.0.1.0/24"
      availability_zone = "eu-west-1a"
    }
    "#);
    folder.done("adopt --from estate.adoptions --stack estate.mirror.hcl --auto-approve");
    let plan = folder.done("plan estate.mirror.hcl");
    assert!(plan.starts_with("No changes."), "{plan}");
    let other = folder.mirror("--local --region eu-west-1 discover --vpc vpc-0a1b2c3d4e5f67890");
    assert!(
        other.contains("nothing in vpc-0a1b2c3d4e5f67890 can be taken into a stack"),
        "{other}"
    );
}
