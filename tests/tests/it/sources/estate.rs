//! An estate that belongs to others: VPCs and instances that a test starts, stops, tags and terminates.

use std::collections::BTreeMap;

use aws_sdk_ec2::Client as Ec2;
use aws_sdk_ec2::types::{Filter, InstanceType, ResourceType, Tag, TagSpecification};
use mirror_local::Cloud;
use mirror_tests::{Rig, config};

/// What a test does to the account outside of the stack.
pub(super) struct Estate {
    ec2: Ec2,
    cloud: Cloud,
    image: String,
}

fn tagged(mirror: &str) -> Tag {
    Tag::builder().key("mirror").value(mirror).build()
}

impl Estate {
    pub(super) async fn of(rig: &Rig) -> Self {
        let ec2 = Ec2::new(&config(&rig.cloud));
        let images = ec2.describe_images().owners("amazon").send().await.unwrap();
        let image = images
            .images()
            .iter()
            .find(|image| image.architecture().map(|of| of.as_str()) == Some("x86_64"));
        let image = image.unwrap().image_id().unwrap().to_owned();
        Self { ec2, cloud: rig.cloud.clone(), image }
    }

    /// Returns the actions that were called so far.
    pub(super) fn calls(&self) -> Vec<String> {
        self.cloud.log().unwrap().into_iter().map(|call| call.action).collect()
    }

    /// Creates this many VPCs, and returns a subnet in each.
    pub(super) async fn subnets(&self, count: usize) -> Vec<String> {
        let mut subnets = Vec::new();
        for _ in 0..count {
            let vpc = self.ec2.create_vpc().cidr_block("10.0.0.0/16").send().await.unwrap();
            let vpc = vpc.vpc().unwrap().vpc_id().unwrap().to_owned();
            let subnet = self.ec2.create_subnet().vpc_id(vpc).cidr_block("10.0.0.0/20");
            let subnet = subnet.send().await.unwrap();
            subnets.push(subnet.subnet().unwrap().subnet_id().unwrap().to_owned());
        }
        subnets
    }

    /// Creates a VPC, and returns a subnet of it in this zone.
    pub(super) async fn subnet_in(&self, zone: &str) -> String {
        let vpc = self.ec2.create_vpc().cidr_block("10.0.0.0/16").send().await.unwrap();
        let subnet = self.ec2.create_subnet().vpc_id(vpc.vpc().unwrap().vpc_id().unwrap());
        let subnet = subnet.cidr_block("10.0.0.0/20").availability_zone(zone);
        let subnet = subnet.send().await.unwrap();
        subnet.subnet().unwrap().subnet_id().unwrap().to_owned()
    }

    /// Returns the zone that each mirrored interface sends to.
    pub(super) async fn zones_of_targets(&self) -> BTreeMap<String, String> {
        let targets = self.ec2.describe_traffic_mirror_targets().send().await.unwrap();
        let sessions = self.ec2.describe_traffic_mirror_sessions().send().await.unwrap();
        let interfaces = self.ec2.describe_network_interfaces().send().await.unwrap();
        let sent = sessions.traffic_mirror_sessions().iter().map(|session| {
            let mut targets = targets.traffic_mirror_targets().iter();
            let is_its = |id| id == session.traffic_mirror_target_id();
            let target = targets.find(|it| is_its(it.traffic_mirror_target_id())).unwrap();
            let mut interfaces = interfaces.network_interfaces().iter();
            let is_it = |id| id == target.network_interface_id();
            let to = interfaces.find(|it| is_it(it.network_interface_id())).unwrap();
            let source = session.network_interface_id().unwrap().to_owned();
            (source, to.availability_zone().unwrap().to_owned())
        });
        sent.collect()
    }

    /// Starts instances with this value of the tag, and returns their ids.
    pub(super) async fn launch(&self, subnet: &str, count: i32, mirror: &str) -> Vec<String> {
        let tags = TagSpecification::builder().resource_type(ResourceType::Instance);
        let launched = self.ec2.run_instances().image_id(&self.image).subnet_id(subnet);
        let launched = launched
            .instance_type(InstanceType::T3Micro)
            .min_count(count)
            .max_count(count)
            .tag_specifications(tags.tags(tagged(mirror)).build())
            .send()
            .await
            .unwrap();
        let ids = launched.instances().iter().map(|it| it.instance_id().unwrap().to_owned());
        ids.collect()
    }

    pub(super) async fn tag(&self, id: &str, mirror: Option<&str>) {
        match mirror {
            Some(value) => {
                self.ec2.create_tags().resources(id).tags(tagged(value)).send().await.unwrap();
            }
            None => {
                let key = Tag::builder().key("mirror").build();
                self.ec2.delete_tags().resources(id).tags(key).send().await.unwrap();
            }
        }
    }

    pub(super) async fn start(&self, id: &str) {
        self.ec2.start_instances().instance_ids(id).send().await.unwrap();
    }

    pub(super) async fn stop(&self, id: &str) {
        self.ec2.stop_instances().instance_ids(id).send().await.unwrap();
    }

    pub(super) async fn terminate(&self, id: &str) {
        self.ec2.terminate_instances().instance_ids(id).send().await.unwrap();
    }

    /// Returns the primary interface of each instance.
    pub(super) async fn interfaces(&self, instances: &[String]) -> Vec<String> {
        let mut interfaces = Vec::new();
        for id in instances {
            let of = Filter::builder().name("attachment.instance-id").values(id).build();
            let found = self.ec2.describe_network_interfaces().filters(of).send().await.unwrap();
            let [one] = found.network_interfaces() else { panic!("one interface of {id}") };
            interfaces.push(one.network_interface_id().unwrap().to_owned());
        }
        interfaces
    }

    /// Returns the interfaces that sessions mirror.
    pub(super) async fn mirrored(&self) -> Vec<String> {
        let mut pages = self.ec2.describe_traffic_mirror_sessions().into_paginator().send();
        let mut mirrored = Vec::new();
        while let Some(page) = pages.next().await {
            let page = page.unwrap();
            let ids = page.traffic_mirror_sessions().iter().map(|s| s.network_interface_id());
            mirrored.extend(ids.map(|id| id.unwrap().to_owned()));
        }
        mirrored.sort();
        mirrored
    }
}
