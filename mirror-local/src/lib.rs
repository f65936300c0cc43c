//! A local AWS for VPC Traffic Mirroring, behind the real wire protocol.
//!
//! [`Cloud`] is the whole of it: EC2, Elastic Load Balancing and EC2 Auto Scaling (and the few calls of Security
//! Token Service, Systems Manager, S3, CloudWatch and Resource Access Manager that go with them), each account by
//! itself but for what it shares, in memory or in a directory. It is reached in three ways:
//!
//! - by the AWS SDK for Rust, in process: [`Cloud::http_client`];
//! - by any AWS client, over a loopback port: [`Server`];
//! - directly, by HTTP heads and bodies: [`Cloud::call`].
//!
//! Inside, [`handle`] is a function of a [`World`], a [`Request`] and the time. It is as strict as
//! AWS where AWS is strict and as silent where AWS is silent; an action that it does not know, it
//! refuses by name.
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
//! `request` and `parameters` read the wire, `xml` and `response` write it. `world` holds `table`s
//! of rows; `action` finds what handles a request and makes it atomic; `listing` and `filter` are
//! every Describe call. `authorization` says what a caller
//! with policies may do. Each kind of resource has a file under `ec2`, `elbv2` or `autoscaling`. `cloud` adds what
//! a process needs: `store`, `clock`, `call_log`, `faults`; `connector` and `server` are its doors.
//! [`data_plane`] is what AWS does with packets, and [`delivery`] brings copies to real receivers;
//! [`traffic`] makes frames to try them with, and a [`Meter`] counts what CloudWatch then has.

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
