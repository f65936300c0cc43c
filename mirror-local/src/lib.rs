//! A local AWS for VPC Traffic Mirroring, behind the real wire protocol.
//!
//! [`Cloud`] holds all of it: EC2, Elastic Load Balancing and EC2 Auto Scaling, with the few calls of Security Token
//! Service, Systems Manager, S3, CloudWatch and Resource Access Manager that go with them. Accounts are separate
//! except for what they share. State is kept in memory or in a directory. There are three ways to call a cloud:
//!
//! - by the AWS SDK for Rust, in process: [`Cloud::http_client`];
//! - by any AWS client, over a loopback port: [`Server`];
//! - directly, by HTTP heads and bodies: [`Cloud::call`].
//!
//! Internally, [`handle`] is a function of a [`World`], a [`Request`] and the time. It is strict where AWS is strict
//! and silent where AWS is silent; it refuses an action that it does not know, and names it in the error.
//!
//! ```
//! use mirror_local::Cloud;
//!
//! let cloud = Cloud::in_memory();
//! let (head, ()) = http::Request::post("/").body(()).expect("a plain request").into_parts();
//! let reply = cloud.call(&head, b"Action=CreateVpc&Version=2016-11-15&CidrBlock=10.0.0.0/16");
//! let answer = reply.response.expect("no fault drops the connection");
//! assert_eq!(answer.status, 200);
//! assert!(answer.body.contains("<cidrBlock>10.0.0.0/16</cidrBlock>"));
//! ```
//!
//! # Reading order
//!
//! `request` and `parameters` read the wire format, `xml` and `response` write it. `world` holds `table`s of rows;
//! `action` finds the handler of a request and makes it atomic; `listing` and `filter` implement every Describe call.
//! `authorization` decides what a caller with policies may do. Each kind of resource has a file under `ec2`, `elbv2`
//! or `autoscaling`. `cloud` adds what a process needs: `store`, `clock`, `call_log`, `faults`; `connector` and
//! `server` are its entry points. [`data_plane`] models what AWS does with packets, and [`delivery`] sends copies to
//! real receivers; [`traffic`] generates frames to try them with, and a [`Meter`] counts what CloudWatch then reports.

mod action;
mod authorization;
mod autoscaling;
mod call_log;
mod catalogue;
mod clock;
mod cloud;
mod cloudwatch;
mod connector;
pub mod data_plane;
pub mod delivery;
mod document;
mod ec2;
mod elbv2;
mod failure;
mod faults;
mod filter;
mod id;
mod listing;
mod parameters;
mod place;
mod ram;
mod request;
mod response;
mod s3;
mod schedule;
mod server;
mod settings;
mod ssm;
mod store;
mod sts;
mod table;
mod tags;
mod token;
pub mod traffic;
mod world;
mod xml;

pub use action::{action_names, handle};
pub use authorization::{Policy, PolicyError};
pub use call_log::LoggedCall;
pub use clock::{Clock, Teller, VirtualClock};
pub use cloud::{Cloud, Inventory, Moment, Reply, Stage};
pub use cloudwatch::Meter;
pub use failure::Failure;
pub use faults::{Bucket, Calls, Effect, Fault, Faults, Share, Symptom};
pub use parameters::Parameters;
pub use place::{ACCOUNT, Place};
pub use request::{DEFAULT_REGION, Request, Service, Wire};
pub use response::Response;
pub use server::Server;
pub use settings::{ConditionalWrites, Durations, Quotas, Settings};
pub use store::StoreError;
pub use table::Record;
pub use world::World;
