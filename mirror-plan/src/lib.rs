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
//! Three sentences decide most questions. The cloud is the state: every object carries tags that say
//! whose it is, and there is no state file. Left of [`plan::Plan`] nothing mutates, right of it
//! nothing decides. Apply, then plan, is empty.
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
//! [`address`], [`id`], [`scalar`], [`value`] and [`diagnostic`] are the words. [`attribute`] holds
//! the tables from which checks, defaults, differences and the reference follow; [`resource`] has
//! one file for each kind. [`stack`] is what the user declared, [`observed`] what the cloud holds,
//! [`plan`](mod@plan) what is to happen, [`packet`] what that means for the packets, [`lint`] what will not
//! work, [`apply`] makes it happen, [`iam`] says what that needs to be allowed, [`permission`] what AWS
//! says it is, [`verify`] whether it stands and [`metrics`] what CloudWatch has counted of it.
//!
//! # Features
//!
//! - `hcl` (default): the stack file.
//! - `s3`: a team's journal and lease in an S3 bucket, by the same SDK.
//! - `aws` (default): observing and applying through the AWS SDK for Rust. It turns on no HTTP
//!   client and no TLS: those come with the `SdkConfig` of the caller.

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

// The examples in the book run with this crate's own.
#[cfg(all(doctest, feature = "aws", feature = "hcl"))]
#[doc = include_str!("../../docs/src/library.md")]
struct TheBook;
