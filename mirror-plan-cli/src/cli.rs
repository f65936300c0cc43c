//! What was typed.

use std::ffi::OsString;
use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::{Args, CommandFactory as _, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;
use mirror_plan::address::{Address, Kind};
use mirror_plan::diagnostic::Severity;
use mirror_plan::plan::Digest;

use crate::exit;

mod adopt;
mod estimates;
mod export;
mod import;
mod part;
mod plan;
mod rehearse;
mod trace;
mod verify;

pub(crate) use adopt::AdoptArgs;
pub(crate) use estimates::EstimateArgs;
pub(crate) use export::{ExportArgs, ExportCommand};
pub(crate) use import::{DiscoverArgs, ImportArgs, ImportCommand};
pub(crate) use part::PartArgs;
pub(crate) use plan::{FormArgs, PlanArgs, PlanFormat, ResultArgs, ReviewArgs, SightArgs};
pub(crate) use rehearse::{NamedArgument, RehearseArgs, TrafficArgs};
pub(crate) use trace::{EndArgument, InterfaceArgument, NetworkArgs, PacketArgs, TraceArgs};
pub(crate) use verify::VerifyArgs;

/// Where the local AWS is kept unless another folder is named.
pub(crate) const LOCAL: &str = ".mirror/local";

/// Plan and apply AWS VPC Traffic Mirroring from one HCL file.
#[derive(Debug, Parser)]
#[command(name = "mirror", version, after_help = exit::HELP, max_term_width = 100)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// Options of every command.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Global options")]
pub(crate) struct Global {
    /// Use a local AWS, kept in a folder, instead of the real one.
    #[arg(
        long,
        global = true,
        value_name = "DIR",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = LOCAL
    )]
    pub(crate) local: Option<PathBuf>,
    /// The Region, if the stack names none.
    #[arg(long, global = true)]
    pub(crate) region: Option<String>,
    /// The profile in the AWS configuration files.
    #[arg(long, global = true)]
    pub(crate) profile: Option<String>,
    /// No colors, even on a terminal.
    #[arg(long, global = true)]
    pub(crate) no_color: bool,
    /// Wording of the fixed lines; `terraform` prints those that tfcmt and Atlantis search for.
    #[arg(long, global = true, value_enum, default_value_t)]
    pub(crate) style: Style,
}

/// Wording of the fixed lines of texts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Style {
    #[default]
    Mirror,
    Terraform,
}

/// The verbs.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Write a stack file to start from.
    Init(InitArgs),
    /// Check a stack file, without AWS.
    Validate(ValidateArgs),
    /// Show what an apply would change.
    Plan(PlanArgs),
    /// Show what was changed by other means since the last apply.
    Drift(StackArgs),
    /// Save the current objects of the stack to a file, to plan from it without AWS.
    Observe(ObserveArgs),
    /// Make the cloud match the stack.
    Apply(ApplyArgs),
    /// Take existing objects into the stack.
    Adopt(AdoptArgs),
    /// Write a stack file for the objects of an existing VPC.
    Discover(DiscoverArgs),
    /// Write a stack file for what another tool has created.
    #[command(subcommand)]
    Import(ImportCommand),
    /// Write the stack in the language of another tool.
    #[command(subcommand)]
    Export(ExportCommand),
    /// Delete everything that the stack owns.
    Destroy(DestroyArgs),
    /// Show a saved plan, or the current objects of the stack.
    Show(ShowArgs),
    /// Show the outputs.
    Output(OutputArgs),
    /// Check that the stack matches its file, and that packets can reach healthy targets.
    Verify(VerifyArgs),
    /// Draw the stack.
    Graph(GraphArgs),
    /// Write the plan as an HTML page: pictures, findings, changes and filters.
    Report(ReportArgs),
    /// Report what happens to a packet, or to a whole capture, before and after the plan.
    Trace(TraceArgs),
    /// Try out an apply on a local AWS, with packets to real receivers.
    Rehearse(RehearseArgs),
    /// Print the least IAM policy that commands on the stack need.
    Iam(IamArgs),
    /// Serve, inspect or reset the local AWS.
    #[command(subcommand)]
    Local(LocalCommand),
    /// Describe every attribute of every block.
    Schema(SchemaArgs),
    /// Explain a code, such as MP0102.
    Explain(ExplainArgs),
    /// List the instance types that can be mirrored.
    InstanceTypes,
    /// Write completions for a shell.
    Completions(CompletionsArgs),
}

/// Which stack, and with what values.
#[derive(Debug, Args)]
pub(crate) struct StackArgs {
    /// The stack file, or a folder with one. [default: the one *.mirror.hcl here]
    pub(crate) stack: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) variables: Variables,
}

/// Values for the variables of a stack.
#[derive(Debug, Args)]
pub(crate) struct Variables {
    /// Set a variable.
    #[arg(long, value_name = "NAME=VALUE")]
    pub(crate) var: Vec<String>,
    /// Read variables from an HCL or JSON file.
    #[arg(long, value_name = "FILE")]
    pub(crate) var_file: Vec<PathBuf>,
}

/// Which part of a stack.
#[derive(Debug, Args)]
pub(crate) struct Selection {
    /// Limit to this resource and what it depends on.
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) target: Vec<Address>,
    /// Replace this resource even if no change requires it.
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) replace: Vec<Address>,
}

#[derive(Debug, Args)]
pub(crate) struct InitArgs {
    /// The folder to write it to. [default: this one]
    #[arg(default_value = ".", hide_default_value = true)]
    pub(crate) folder: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct ValidateArgs {
    #[command(flatten)]
    pub(crate) stack: StackArgs,
    /// How to report what is wrong.
    #[arg(long, value_enum, default_value_t)]
    pub(crate) format: DiagnosticFormat,
    /// Apply the edits that findings propose to the stack file.
    #[arg(long)]
    pub(crate) fix: bool,
    #[command(flatten)]
    pub(crate) strictness: StrictnessArgs,
}

/// What is not put up with.
#[derive(Debug, Args)]
pub(crate) struct StrictnessArgs {
    /// Treat warnings as errors.
    #[arg(long, value_enum, value_name = "WHAT")]
    pub(crate) deny: Option<Denied>,
}

/// Findings that are no errors.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Denied {
    // Whatever works, though perhaps not as meant.
    Warnings,
}

impl StrictnessArgs {
    /// The least that is failed on.
    pub(crate) const fn least(&self) -> Severity {
        match self.deny {
            Some(Denied::Warnings) => Severity::Warning,
            None => Severity::Error,
        }
    }
}

/// How to report what is wrong.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum DiagnosticFormat {
    /// For people, with the lines of the stack file.
    #[default]
    Human,
    /// One JSON object per line.
    Json,
    /// Annotations on a GitHub pull request.
    Github,
}

#[derive(Debug, Args)]
pub(crate) struct ApplyArgs {
    /// The stack file, a folder with one, or a saved plan. [default: the one *.mirror.hcl here]
    #[arg(value_name = "STACK|PLANFILE")]
    pub(crate) stack: Option<PathBuf>,
    /// With a saved plan: the stack file to take its user data from. [default: the one here]
    #[arg(long = "stack", id = "source", value_name = "STACK")]
    pub(crate) source: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) variables: Variables,
    #[command(flatten)]
    pub(crate) selection: Selection,
    #[command(flatten)]
    pub(crate) strictness: StrictnessArgs,
    #[command(flatten)]
    pub(crate) part: PartArgs,
    #[command(flatten)]
    pub(crate) run: RunArgs,
}

#[derive(Debug, Args)]
pub(crate) struct DestroyArgs {
    #[command(flatten)]
    pub(crate) stack: StackArgs,
    /// Limit to this resource and what depends on it.
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) target: Vec<Address>,
    #[command(flatten)]
    pub(crate) run: RunArgs,
}

/// How to carry a plan out.
#[derive(Debug, Args)]
pub(crate) struct RunArgs {
    /// Do not ask for approval.
    #[arg(long)]
    pub(crate) auto_approve: bool,
    /// Apply without asking, but only if the plan is the one in this snapshot.
    #[arg(long, value_name = "FILE")]
    pub(crate) approved: Option<PathBuf>,
    /// Apply without asking, but only if the plan has this digest.
    #[arg(long, value_name = "DIGEST")]
    pub(crate) expect: Option<Digest>,
    /// How many calls may be in flight at once.
    #[arg(long, value_name = "N", default_value = "10")]
    pub(crate) parallelism: NonZeroUsize,
    #[command(flatten)]
    pub(crate) estimates: EstimateArgs,
    /// Print progress as a stream of JSON objects.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct ObserveArgs {
    #[command(flatten)]
    pub(crate) stack: StackArgs,
    /// The file to write.
    #[arg(long, value_name = "FILE")]
    pub(crate) out: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct ShowArgs {
    /// A saved plan; or the stack, as a file or a folder with one. [default: the one *.mirror.hcl here]
    #[arg(value_name = "PLANFILE|STACK")]
    pub(crate) file: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) variables: Variables,
    /// Print JSON in the form of `terraform show -json`; the same as --format tfjson.
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) estimates: EstimateArgs,
    #[command(flatten)]
    pub(crate) form: FormArgs,
}

#[derive(Debug, Args)]
pub(crate) struct OutputArgs {
    /// Show only this output.
    pub(crate) name: Option<String>,
    /// The stack file, or a folder with one. [default: the one *.mirror.hcl here]
    #[arg(long)]
    pub(crate) stack: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) variables: Variables,
    /// Print JSON.
    #[arg(long)]
    pub(crate) json: bool,
    /// Print the value of one output without quotes.
    #[arg(long, requires = "name", conflicts_with = "json")]
    pub(crate) raw: bool,
}

#[derive(Debug, Args)]
pub(crate) struct GraphArgs {
    /// The stack file, a folder with one, or a saved plan, whose changes are colored.
    /// [default: the one *.mirror.hcl here]
    #[arg(value_name = "STACK|PLANFILE")]
    pub(crate) stack: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) variables: Variables,
    /// The language of the drawing.
    #[arg(long, value_enum, default_value_t)]
    pub(crate) format: GraphFormat,
    /// Draw dependencies, or the steps of a saved plan, instead of the path of a packet.
    #[arg(long)]
    pub(crate) deps: bool,
    /// Print a line for each session: whether its packets reach a receiver, or what stops them.
    #[arg(long, conflicts_with_all = ["deps", "format"])]
    pub(crate) paths: bool,
}

#[derive(Debug, Args)]
pub(crate) struct ReportArgs {
    /// The stack file, a folder with one, or a saved plan. [default: the one *.mirror.hcl here]
    #[arg(value_name = "STACK|PLANFILE")]
    pub(crate) stack: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) variables: Variables,
    /// The file to write: one self-contained HTML document.
    #[arg(long, value_name = "FILE")]
    pub(crate) html: PathBuf,
    #[command(flatten)]
    pub(crate) estimates: EstimateArgs,
    #[command(flatten)]
    pub(crate) sight: SightArgs,
}

#[derive(Debug, Args)]
pub(crate) struct IamArgs {
    #[command(flatten)]
    pub(crate) stack: StackArgs,
    #[command(flatten)]
    pub(crate) purposes: Purposes,
    /// Print the policy for the account of this `aws` block instead of the stack's own account.
    #[arg(long = "as", value_name = "NAME")]
    pub(crate) account: Option<String>,
}

/// What a policy is for.
#[derive(Debug, Args)]
#[group(required = true, multiple = true)]
#[expect(clippy::struct_excessive_bools, reason = "each is an option of the command line")]
pub(crate) struct Purposes {
    /// For `mirror plan` and all other commands that only read.
    #[arg(long)]
    pub(crate) plan: bool,
    /// For `mirror verify --metrics`.
    #[arg(long)]
    pub(crate) metrics: bool,
    /// For `mirror apply`: any change to the kinds of resources that the stack declares.
    #[arg(long)]
    pub(crate) apply: bool,
    /// For `mirror destroy`: deleting anything that the stack may own.
    #[arg(long)]
    pub(crate) destroy: bool,
}

/// The language of a drawing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum GraphFormat {
    /// Graphviz.
    #[default]
    Dot,
    /// Mermaid, which GitHub renders.
    Mermaid,
    /// A picture; no other program is needed.
    Svg,
}

/// The verbs of the local AWS.
#[derive(Debug, Subcommand)]
pub(crate) enum LocalCommand {
    /// Serve it on 127.0.0.1, for any AWS client.
    Serve {
        /// The port; 0 picks a free one.
        #[arg(long, default_value_t = 4566)]
        port: u16,
        /// Allow callers only what this IAM policy allows; given several times, the policies add up.
        #[arg(long, value_name = "FILE")]
        policy: Vec<PathBuf>,
    },
    /// Delete everything in it.
    Reset,
    /// Show every call that was made, in order.
    Log {
        /// Print one JSON object per line, with all parameters.
        #[arg(long)]
        json: bool,
    },
}

#[derive(Debug, Args)]
pub(crate) struct SchemaArgs {
    /// Describe only this kind of resource, such as mirror_session.
    pub(crate) kind: Option<Kind>,
    /// Print JSON instead of Markdown.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct ExplainArgs {
    /// The code.
    pub(crate) code: String,
}

#[derive(Debug, Args)]
pub(crate) struct CompletionsArgs {
    /// The shell.
    pub(crate) shell: Shell,
}

/// Reads the command line, in which long options may have one dash, as Terraform's do.
pub(crate) fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Cli, clap::Error> {
    let long = long_options(&Cli::command());
    let mut only_operands = false;
    let arguments = arguments.into_iter().map(|argument| {
        only_operands |= argument == "--";
        match argument.to_str() {
            Some(text) if !only_operands && has_one_dash(text, &long) => {
                OsString::from(format!("-{text}"))
            }
            _ => argument,
        }
    });
    Cli::try_parse_from(arguments)
}

/// The names of all long options, of all commands.
fn long_options(command: &clap::Command) -> Vec<String> {
    let own = command.get_arguments().filter_map(|argument| argument.get_long());
    let own = own.map(str::to_owned);
    own.chain(command.get_subcommands().flat_map(long_options)).collect()
}

/// Whether this is a long option with one dash: `-auto-approve`, `-var=a=b`.
fn has_one_dash(text: &str, long: &[String]) -> bool {
    let Some(name) = text.strip_prefix('-') else { return false };
    let name = name.split_once('=').map_or(name, |(name, _)| name);
    long.iter().any(|option| option == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &str) -> Cli {
        parse(line.split(' ').map(OsString::from)).unwrap()
    }

    #[test]
    fn the_command_line_is_in_order() {
        Cli::command().debug_assert();
    }

    #[test]
    fn long_options_may_have_one_dash() {
        let cli =
            parsed("mirror apply -auto-approve -var a=b -var=c=d -parallelism=3 -local=x lab");
        assert_eq!(cli.global.local.as_deref(), Some("x".as_ref()));
        let Command::Apply(apply) = cli.command else { panic!("{:?}", cli.command) };
        assert!(apply.run.auto_approve);
        assert_eq!(apply.run.parallelism.get(), 3);
        assert_eq!(apply.variables.var, ["a=b", "c=d"]);
        assert_eq!(apply.stack.as_deref(), Some("lab".as_ref()));
    }

    #[test]
    fn what_is_no_option_stays_as_it_is() {
        let cli = parsed("mirror plan -- -var");
        let Command::Plan(plan) = cli.command else { panic!("{:?}", cli.command) };
        assert_eq!(plan.stack.stack.as_deref(), Some("-var".as_ref()));
        assert!(parse(["mirror", "plan", "-x"].map(OsString::from)).is_err());
        assert!(parse(["mirror", "-V"].map(OsString::from)).is_err_and(|e| !e.use_stderr()));
    }

    #[test]
    fn local_takes_no_operand_for_its_folder() {
        let cli = parsed("mirror --local plan lab.mirror.hcl");
        assert_eq!(cli.global.local.as_deref(), Some(LOCAL.as_ref()));
        let Command::Plan(plan) = cli.command else { panic!("{:?}", cli.command) };
        assert_eq!(plan.stack.stack.as_deref(), Some("lab.mirror.hcl".as_ref()));
    }
}
