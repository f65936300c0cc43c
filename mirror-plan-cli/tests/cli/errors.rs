//! What goes wrong, and how it is reported.

use super::{Folder, SMALL, assert_shown};

#[test]
fn a_stack_file_is_found_or_asked_for() {
    let folder = Folder::empty();
    assert_shown!(folder.mirror("validate"), @"
    exit code: 1
    ----- stdout -----
    ----- stderr -----
    error[MP0602]: there is no stack file here
     |
     = note: a stack file is named NAME.mirror.hcl
     = help: name one, or write one to start from with `mirror init`
    ");
    folder.write("a.mirror.hcl", SMALL);
    folder.write("b.mirror.hcl", SMALL);
    assert_shown!(folder.mirror("validate"), @"
    exit code: 1
    ----- stdout -----
    ----- stderr -----
    error[MP0602]: there are 2 stack files here
     |
     = note: a.mirror.hcl, b.mirror.hcl
     = help: name the one to use
    ");
    assert_shown!(folder.mirror("validate a.mirror.hcl"), @"
    exit code: 0
    ----- stdout -----
    Success! a.mirror.hcl is valid: 2 resources, 1 output.
    ----- stderr -----
    ");
    assert_shown!(folder.mirror("validate c.mirror.hcl"), @"
    exit code: 1
    ----- stdout -----
    ----- stderr -----
    error[MP0601]: `c.mirror.hcl` cannot be read
     |
     = note: No such file or directory (os error 2)
    ");
    assert_shown!(folder.mirror("init"), @"
    exit code: 1
    ----- stdout -----
    ----- stderr -----
    error[MP0601]: a stack file already exists: `a.mirror.hcl`
     |
     = help: use it, or name another folder: mirror init FOLDER
    ");
}

/// The local AWS is opened while the stack file is read, but what is wrong with the stack file is reported first.
#[test]
fn a_local_aws_that_cannot_be_used_is_named() {
    let folder = Folder::with(SMALL);
    folder.done("plan");
    folder.write(
        ".mirror/local/world.log",
        "something else, longer than the first line of a log is\n",
    );
    assert_shown!(folder.mirror("--local plan"), @"
    exit code: 1
    ----- stdout -----
    ----- stderr -----
    error[MP0601]: the local AWS in `.mirror/local` cannot be used
     |
     = note: .mirror/local/world.log is not a log of this version
     = help: start with an empty account: mirror local reset --local
    ");
    folder.write("small.mirror.hcl", "vpc \"lab\" {");
    let shown = folder.mirror("--local plan");
    assert!(!shown.contains("the local AWS"), "{shown}");
    folder.done("local reset");
    folder.write("small.mirror.hcl", SMALL);
    folder.done("plan");
}

#[test]
fn a_broken_stack_file_makes_no_local_aws() {
    let folder = Folder::with(BROKEN);
    let shown = folder.mirror("--local plan");
    assert!(shown.contains("MP0301"), "{shown}");
    assert!(!folder.path().join(".mirror").exists());
}

const BROKEN: &str = r#"
stack "broken" {}

vpc "lab" { cidr = "10.0.0.0/33" }

subnet "a" {
  vpc   = vpc.lba
  cidrs = "10.0.1.0/24"
}
"#;

#[test]
fn every_mistake_is_shown_with_its_place() {
    let folder = Folder::with(BROKEN);
    assert_shown!(folder.mirror("validate"), @r#"
    exit code: 1
    ----- stdout -----
    ----- stderr -----
    error[MP0007]: `10.0.0.0/33` is not an IPv4 range such as 10.0.0.0/16
     --> small.mirror.hcl:4:20
      |
    4 | vpc "lab" { cidr = "10.0.0.0/33" }
      |                    ^^^^^^^^^^^^^

    error[MP0005]: `cidr` is required
     --> small.mirror.hcl:6:1
      |
    6 | subnet "a" {
      | ^^^^^^^^^^

    error[MP0301]: the stack declares no `vpc.lba`
     --> small.mirror.hcl:7:11
      |
    7 |   vpc   = vpc.lba
      |           ^^^^^^^
      |
    help: did you mean `vpc.lab`?
      |
    7 -   vpc   = vpc.lba
    7 +   vpc   = vpc.lab
      |

    error[MP0004]: the subnet has no attribute `cidrs`
     --> small.mirror.hcl:8:3
      |
    8 |   cidrs = "10.0.1.0/24"
      |   ^^^^^
      |
    help: did you mean `cidr`?
      |
    8 -   cidrs = "10.0.1.0/24"
    8 +   cidr = "10.0.1.0/24"
      |
    "#);
    assert_shown!(folder.mirror("validate --format github"), @"
    exit code: 1
    ----- stdout -----
    ::error file=small.mirror.hcl,line=4,col=20,endLine=4,title=MP0007::vpc.lab: `10.0.0.0/33` is not an IPv4 range such as 10.0.0.0/16
    ::error file=small.mirror.hcl,line=6,col=1,endLine=6,title=MP0005::subnet.a: `cidr` is required
    ::error file=small.mirror.hcl,line=7,col=11,endLine=7,title=MP0301::subnet.a: the stack declares no `vpc.lba`%0Ahelp: did you mean `vpc.lab`?
    ::error file=small.mirror.hcl,line=8,col=3,endLine=8,title=MP0004::the subnet has no attribute `cidrs`%0Ahelp: did you mean `cidr`?
    ----- stderr -----
    ");
    assert_shown!(folder.mirror("--local plan --json"), @r#"
    exit code: 1
    ----- stdout -----
    {"@level":"info","@message":"mirror 0.1.0","@module":"mirror.ui","@timestamp":"TIME","mirror":"0.1.0","type":"version","ui":"1.3"}
    {"@level":"error","@message":"Error: `10.0.0.0/33` is not an IPv4 range such as 10.0.0.0/16","@module":"mirror.ui","@timestamp":"TIME","diagnostic":{"address":"vpc.lab","detail":"","mirror_code":"MP0007","range":{"end":{"byte":52,"column":33,"line":4},"filename":"small.mirror.hcl","start":{"byte":39,"column":20,"line":4}},"severity":"error","snippet":{"code":"vpc \"lab\" { cidr = \"10.0.0.0/33\" }","context":null,"highlight_end_offset":32,"highlight_start_offset":19,"start_line":4,"values":[]},"summary":"`10.0.0.0/33` is not an IPv4 range such as 10.0.0.0/16"},"type":"diagnostic"}
    {"@level":"error","@message":"Error: `cidr` is required","@module":"mirror.ui","@timestamp":"TIME","diagnostic":{"address":"subnet.a","detail":"","mirror_code":"MP0005","range":{"end":{"byte":66,"column":11,"line":6},"filename":"small.mirror.hcl","start":{"byte":56,"column":1,"line":6}},"severity":"error","snippet":{"code":"subnet \"a\" {","context":null,"highlight_end_offset":10,"highlight_start_offset":0,"start_line":6,"values":[]},"summary":"`cidr` is required"},"type":"diagnostic"}
    {"@level":"error","@message":"Error: the stack declares no `vpc.lba`","@module":"mirror.ui","@timestamp":"TIME","diagnostic":{"address":"subnet.a","detail":"did you mean `vpc.lab`?","mirror_code":"MP0301","range":{"end":{"byte":86,"column":18,"line":7},"filename":"small.mirror.hcl","start":{"byte":79,"column":11,"line":7}},"severity":"error","snippet":{"code":"  vpc   = vpc.lba","context":null,"highlight_end_offset":17,"highlight_start_offset":10,"start_line":7,"values":[]},"summary":"the stack declares no `vpc.lba`"},"type":"diagnostic"}
    {"@level":"error","@message":"Error: the subnet has no attribute `cidrs`","@module":"mirror.ui","@timestamp":"TIME","diagnostic":{"detail":"did you mean `cidr`?","mirror_code":"MP0004","range":{"end":{"byte":94,"column":8,"line":8},"filename":"small.mirror.hcl","start":{"byte":89,"column":3,"line":8}},"severity":"error","snippet":{"code":"  cidrs = \"10.0.1.0/24\"","context":null,"highlight_end_offset":7,"highlight_start_offset":2,"start_line":8,"values":[]},"summary":"the subnet has no attribute `cidrs`"},"type":"diagnostic"}
    ----- stderr -----
    "#);
}

#[test]
fn without_credentials_it_says_what_to_do() {
    let folder = Folder::with(SMALL);
    assert_shown!(folder.mirror("plan"), @"
    exit code: 1
    ----- stdout -----
    ----- stderr -----
    error[MP0603]: GetCallerIdentity could not be sent
     |
     = note: dispatch failure: other: the credential provider was not enabled: no credentials found in chain. Attempted:
               Environment: the credential provider was not enabled: environment variable not set
               Profile: the credential provider was not enabled
               WebIdentityToken: the credential provider was not enabled: $AWS_WEB_IDENTITY_TOKEN_FILE was not set
               EcsContainer: the credential provider was not enabled: ECS provider not configured
               Ec2InstanceMetadata: the credential provider was not enabled: IMDS disabled by AWS_EC2_METADATA_DISABLED env var set to `true`
     = help: check the credentials with: aws sts get-caller-identity
     = help: or try it without AWS: mirror --local ...
    ");
    folder.edit("region = \"eu-west-1\"", "");
    assert_shown!(folder.mirror("plan"), @"
    exit code: 1
    ----- stdout -----
    ----- stderr -----
    error[MP0603]: no usable Region: none is configured
     |
     = help: name one: `region` in the `stack` block, --region, or AWS_REGION
     = help: or try it without AWS: mirror --local ...
    ");
}

#[test]
fn an_apply_that_nobody_can_approve_is_refused_before_anything_is_asked_of_aws() {
    let folder = Folder::with(SMALL);
    assert_shown!(folder.mirror("--local apply"), @"
    exit code: 1
    ----- stdout -----
    ----- stderr -----
    error[MP0604]: nobody can approve: the input is not a terminal, or MIRROR_INPUT is 0
     |
     = help: pass --auto-approve, or apply a plan that was saved with `mirror plan --out`
    ");
    assert_shown!(folder.mirror("--local destroy --json"), @r#"
    exit code: 1
    ----- stdout -----
    {"@level":"info","@message":"mirror 0.1.0","@module":"mirror.ui","@timestamp":"TIME","mirror":"0.1.0","type":"version","ui":"1.3"}
    {"@level":"error","@message":"Error: with --json there is no prompt, so nobody can approve","@module":"mirror.ui","@timestamp":"TIME","diagnostic":{"detail":"pass --auto-approve, or apply a plan that was saved with `mirror plan --out`","mirror_code":"MP0604","severity":"error","summary":"with --json there is no prompt, so nobody can approve"},"type":"diagnostic"}
    ----- stderr -----
    "#);
    assert_eq!(folder.done("local log"), "");
}

#[test]
fn another_region_than_the_stacks_is_refused() {
    let folder = Folder::with(SMALL);
    assert_shown!(folder.mirror("--local --region us-west-2 plan"), @"
    exit code: 1
    ----- stdout -----
    ----- stderr -----
    error[MP0404]: the stack is for Region eu-west-1, but this is us-west-2
     |
     = help: use --region eu-west-1, or change the `stack` block
    ");
}

#[test]
fn an_address_that_is_not_there_is_no_target() {
    let folder = Folder::with(SMALL);
    assert_shown!(folder.mirror("--local plan --target vpc.lap"), @"
    exit code: 1
    ----- stdout -----
    ----- stderr -----
    error[MP0405]: `vpc.lap` is neither declared nor existing
     |
     = help: did you mean `vpc.lab`?
    ");
}

/// AWS allows five VPCs in a Region of an account, including the default one.
const TOO_MANY: &str = r#"
stack "many" { region = "eu-west-1" }

vpc "lab" {
  count = 5
  cidr  = "10.${count.index}.0.0/16"
}

subnet "a" {
  vpc  = vpc.lab[4]
  cidr = "10.4.1.0/24"
}

mirror_filter "web" {}
"#;

#[test]
fn a_failed_apply_says_what_was_done_what_failed_and_how_to_go_on() {
    let folder = Folder::with(TOO_MANY);
    let shown = folder.mirror("--local apply --auto-approve --parallelism 1");
    let (_, end) = shown.split_once("Plan digest: ").unwrap();
    assert_shown!(end, @"
    sha256:DIGEST

    Apply incomplete. Resources: 5 added, 0 changed, 0 destroyed.
    ----- stderr -----
    warning[MP1034]: the stack has 5 VPCs and there is 1 other, and AWS allows 5 in a Region unless the quota was raised
     |
     = help: ask AWS for more in Service Quotas, then accept this with `allow`
    vpc.lab[0]: Creating...
    vpc.lab[0]: Creation complete after Ns [id=vpc-ID]
    vpc.lab[1]: Creating...
    vpc.lab[1]: Creation complete after Ns [id=vpc-ID]
    vpc.lab[2]: Creating...
    vpc.lab[2]: Creation complete after Ns [id=vpc-ID]
    vpc.lab[3]: Creating...
    vpc.lab[3]: Creation complete after Ns [id=vpc-ID]
    vpc.lab[4]: Creating...
    vpc.lab[4]: Creation errored after Ns
    mirror_filter.web: Creating...
    mirror_filter.web: Creation complete after Ns [id=tmf-ID]

    Error: CreateVpc failed: VpcLimitExceeded

      with vpc.lab[4],

      The maximum number of VPCs has been reached.
      AWS request id: REQUEST

      ask AWS for a higher quota, or remove what is not needed

    Not done because vpc.lab[4] failed:
      create subnet.a

    Completed changes stay. Run the same command again to do the rest: it plans from the
    current state.
    ");
    let replanned = folder.mirror("--local plan");
    assert!(replanned.contains("Plan: 2 to add, 0 to change, 0 to destroy."), "{replanned}");
}
