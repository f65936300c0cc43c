//! Plan and apply AWS VPC Traffic Mirroring set-ups: one file, the exact difference, a safe apply.
//!
//! ```text
//!  stack file --hcl--> Stack --+
//!                              |  pure: no clock, no file, no network
//!  AWS --aws::observe--> Observed --> plan() --> Plan --> render (text, JSON, pictures)
//!   ^                                              |
//!   +------------- aws::act <---- apply() <--------+----> Event --> Reporter
//! ```
//!
//! Three rules decide most questions. The cloud is the state: every object carries tags that name
//! its owner, and there is no state file. Nothing before [`plan::Plan`] changes anything, and
//! nothing after it makes decisions. A plan made right after an apply is empty.
//!
//! # From a stack file to a plan
//!
//! ```
//! use mirror_plan::diagnostic::Source;
//! use mirror_plan::hcl::{Inputs, StackFile};
//! use mirror_plan::observed::Observed;
//! use mirror_plan::plan::{Request, plan};
//! use mirror_plan::render::text::Text;
//!
//! let text = r#"
//! stack "lab" {}
//!
//! vpc "lab" { cidr = "10.0.0.0/16" }
//!
//! subnet "source" {
//!   vpc  = vpc.lab
//!   cidr = "10.0.1.0/24"
//! }
//! "#;
//! let file = StackFile::parse(Source { name: "lab.mirror.hcl".into(), text: text.into() })?;
//! let (stack, _warnings) = file.stack(&Inputs::new())?;
//!
//! // What `aws::observe` returns for an account without anything of the stack.
//! let observed = Observed::nothing("123456789012".parse()?, "eu-west-1".parse()?);
//!
//! let plan = plan(&stack, &observed, &Request::default())?;
//! assert_eq!(plan.counts().add, 2);
//! assert!(Text::new(&plan).to_string().contains("+ vpc \"lab\" {"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Reading order
//!
//! [`address`], [`id`], [`scalar`], [`value`] and [`diagnostic`] are the vocabulary. [`attribute`]
//! holds the tables from which the checks, defaults, differences and reference pages are derived;
//! [`resource`] has one file for each kind. [`stack`] is what the user declared, [`observed`] what
//! exists in the cloud, [`plan`](mod@plan) what will be done, [`packet`] what that means for the
//! packets, and [`lint`] what will not work. [`apply`] carries out a plan, [`iam`] lists the
//! permissions it needs, and [`permission`] what AWS reports about them. [`verify`] checks whether
//! a stack works, and [`metrics`] holds what CloudWatch has counted for it.
//!
//! # Features
//!
//! - `hcl` (default): the stack file.
//! - `s3`: keeps a team's journal and lease in an S3 bucket, through the same SDK as `aws`.
//! - `aws` (default): observing and applying through the AWS SDK for Rust. It enables neither an
//!   HTTP client nor TLS: those come with the caller's `SdkConfig`.

#![cfg_attr(docsrs, feature(doc_cfg))]

pub mod address;
pub mod apply;
pub mod attribute;
#[cfg(feature = "aws")]
pub mod aws;
pub mod code;
pub mod diagnostic;
pub mod drift;
pub mod event;
pub mod graph;
mod hash;
#[cfg(feature = "hcl")]
pub mod hcl;
pub mod iam;
pub mod id;
pub mod import;
pub mod lint;
pub mod metrics;
pub mod observed;
pub mod packet;
pub mod permission;
pub mod plan;
pub mod price;
mod rate;
pub mod reach;
pub mod render;
pub mod resource;
pub mod scalar;
#[cfg(feature = "hcl")]
pub mod schema;
pub mod stack;
pub mod value;
pub mod verify;

// Runs the examples in the book together with this crate's own.
#[cfg(all(doctest, feature = "aws", feature = "hcl"))]
#[doc = include_str!("../../docs/src/library.md")]
struct TheBook;
