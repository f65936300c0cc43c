//! What the command line says about itself.

use super::{Folder, assert_shown};

#[test]
fn help_lists_the_verbs_and_the_exit_codes() {
    let folder = Folder::empty();
    assert_shown!(folder.mirror("--help"), @r#"
    exit code: 0
    ----- stdout -----
    Plan and apply AWS VPC Traffic Mirroring from one HCL file

    Usage: mirror [OPTIONS] <COMMAND>

    Commands:
      init            Write a stack file to start from
      validate        Check a stack file, without AWS
      plan            Show what an apply would change
      drift           Show what was changed by other means since the last apply
      observe         Save the current objects of the stack to a file, to plan from it without AWS
      apply           Make the cloud match the stack
      adopt           Take existing objects into the stack
      discover        Write a stack file for the objects of an existing VPC
      import          Write a stack file for what another tool has created
      export          Write the stack in the language of another tool
      destroy         Delete everything that the stack owns
      show            Show a saved plan, or the current objects of the stack
      output          Show the outputs
      verify          Check that the stack matches its file, and that packets can reach healthy targets
      graph           Draw the stack
      report          Write the plan as an HTML page: pictures, findings, changes and filters
      trace           Report what happens to a packet, or to a whole capture, before and after the plan
      rehearse        Try out an apply on a local AWS, with packets to real receivers
      iam             Print the least IAM policy that commands on the stack need
      local           Serve, inspect or reset the local AWS
      schema          Describe every attribute of every block
      explain         Explain a code, such as MP0102
      instance-types  List the instance types that can be mirrored
      completions     Write completions for a shell
      help            Print this message or the help of the given subcommand(s)

    Options:
      -h, --help     Print help
      -V, --version  Print version

    Global options:
          --local[=<DIR>]      Use a local AWS, kept in a folder, instead of the real one
          --region <REGION>    The Region, if the stack names none
          --profile <PROFILE>  The profile in the AWS configuration files
          --no-color           No colors, even on a terminal
          --style <STYLE>      Wording of the fixed lines; `terraform` prints those that tfcmt and
                               Atlantis search for [default: mirror] [possible values: mirror,
                               terraform]

    Exit codes:
      0    done
      1    failed, refused, or not approved
      2    something to do (plan, trace --detailed-exitcode), a difference (plan --check), drift, or a
           fault (verify)
      3    the saved or approved plan is stale, or was changed; nothing was done
      4    another run is at work on the stack; nothing was done
      130  interrupted
    ----- stderr -----
    "#);
}

#[test]
fn the_help_of_a_verb_lists_its_options() {
    let folder = Folder::empty();
    assert_shown!(folder.mirror("apply --help"), @"
    exit code: 0
    ----- stdout -----
    Make the cloud match the stack

    Usage: mirror apply [OPTIONS] [STACK|PLANFILE]

    Arguments:
      [STACK|PLANFILE]  The stack file, a folder with one, or a saved plan. [default: the one
                        *.mirror.hcl here]

    Options:
          --stack <STACK>          With a saved plan: the stack file to take its user data from.
                                   [default: the one here]
          --var <NAME=VALUE>       Set a variable
          --var-file <FILE>        Read variables from an HCL or JSON file
          --target <ADDRESS>       Limit to this resource and what it depends on
          --replace <ADDRESS>      Replace this resource even if no change requires it
          --deny <WHAT>            Treat warnings as errors [possible values: warnings]
          --sources <INSTANCES>    Only create and delete sessions over sources, and change nothing
                                   else. Sessions are created on interfaces of these instances only:
                                   `i-...,i-...`, or `all`
          --watch <PAUSE>          Repeat until interrupted, with this pause between runs, such as 60s
          --health <ADDRESS:PORT>  With --watch: answer HTTP health checks on this address
          --auto-approve           Do not ask for approval
          --approved <FILE>        Apply without asking, but only if the plan is the one in this
                                   snapshot
          --expect <DIGEST>        Apply without asking, but only if the plan has this digest
          --parallelism <N>        How many calls may be in flight at once [default: 10]
          --no-cost                Do not estimate the monthly cost
          --no-time                Do not estimate how long the apply takes
          --load <RATE>            Traffic to assume for each session in the estimate of the cost, such
                                   as 10mbit. [default: none]
          --json                   Print progress as a stream of JSON objects
      -h, --help                   Print help

    Global options:
          --local[=<DIR>]      Use a local AWS, kept in a folder, instead of the real one
          --region <REGION>    The Region, if the stack names none
          --profile <PROFILE>  The profile in the AWS configuration files
          --no-color           No colors, even on a terminal
          --style <STYLE>      Wording of the fixed lines; `terraform` prints those that tfcmt and
                               Atlantis search for [default: mirror] [possible values: mirror,
                               terraform]
    ----- stderr -----
    ");
}

#[test]
fn a_wrong_command_line_is_an_error_and_not_a_change() {
    let folder = Folder::empty();
    assert_shown!(folder.mirror("plan --detailed-exitcod"), @"
    exit code: 1
    ----- stdout -----
    ----- stderr -----
    error: unexpected argument '--detailed-exitcod' found

      tip: a similar argument exists: '--detailed-exitcode'

    Usage: mirror plan --detailed-exitcode [STACK]

    For more information, try '--help'.
    ");
    assert_shown!(folder.mirror("plan --target vcp.lab"), @"
    exit code: 1
    ----- stdout -----
    ----- stderr -----
    error: invalid value 'vcp.lab' for '--target <ADDRESS>': `vcp` is not a kind of resource

    For more information, try '--help'.
    ");
    assert_shown!(folder.mirror("apply --parallelism 0"), @"
    exit code: 1
    ----- stdout -----
    ----- stderr -----
    error: invalid value '0' for '--parallelism <N>': number would be zero for non-zero type

    For more information, try '--help'.
    ");
}

#[test]
fn codes_are_explained() {
    let folder = Folder::empty();
    assert_shown!(folder.mirror("explain mp0501"), @"
    exit code: 0
    ----- stdout -----
    MP0501: the plan is stale

    Something that the plan saw has changed since. Nothing was done; plan again.
    ----- stderr -----
    ");
    assert_shown!(folder.mirror("explain MP9999"), @"
    exit code: 1
    ----- stdout -----
    ----- stderr -----
    error[MP0101]: there is no code `MP9999`
     |
     = note: codes are MP and four digits, up to MP1041
    ");
}

#[test]
fn the_schema_is_json_and_markdown() {
    let folder = Folder::empty();
    let schema: serde_json::Value = serde_json::from_str(&folder.done("schema --json")).unwrap();
    assert_eq!(schema["kinds"]["vpc"]["attributes"][0]["name"], "cidr");
    assert!(folder.done("schema").contains("# `mirror_session`"));
    assert!(!folder.done("schema vpc").contains("# `mirror_session`"));
}

#[test]
fn completions_know_the_verbs() {
    let folder = Folder::empty();
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let script = folder.done(&format!("completions {shell}"));
        assert!(script.contains("auto-approve"), "{shell}");
    }
}
