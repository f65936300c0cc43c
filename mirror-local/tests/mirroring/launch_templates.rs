//! Launch templates and their versions, and what is launched from them.

use crate::client::Client;
use insta::assert_snapshot;

/// Makes a template with a name, for instances of the first image; returns its id.
fn template(client: &Client, name: &str) -> String {
    let image = client.ec2("DescribeImages").text("imageId");
    let made = client.ec2(format!(
        "CreateLaunchTemplate&LaunchTemplateName={name}&LaunchTemplateData.ImageId={image}\
         &LaunchTemplateData.InstanceType=t3.micro"
    ));
    made.text("launchTemplateId")
}

/// A call that makes a template.
const CREATE: &str = "CreateLaunchTemplate&LaunchTemplateName=sensor&VersionDescription=first\
    &LaunchTemplateData.InstanceType=t3.micro&LaunchTemplateData.UserData=aGk=\
    &LaunchTemplateData.SecurityGroupId.1=sg-1&LaunchTemplateData.SecurityGroupId.2=sg-2\
    &LaunchTemplateData.IamInstanceProfile.Name=p\
    &LaunchTemplateData.MetadataOptions.HttpTokens=required\
    &LaunchTemplateData.MetadataOptions.HttpPutResponseHopLimit=1\
    &LaunchTemplateData.BlockDeviceMapping.1.DeviceName=/dev/xvda\
    &LaunchTemplateData.BlockDeviceMapping.1.Ebs.Encrypted=true\
    &LaunchTemplateData.TagSpecification.1.ResourceType=instance\
    &LaunchTemplateData.TagSpecification.1.Tag.1.Key=Name\
    &LaunchTemplateData.TagSpecification.1.Tag.1.Value=sensor\
    &TagSpecification.1.ResourceType=launch-template\
    &TagSpecification.1.Tag.1.Key=team&TagSpecification.1.Tag.1.Value=net";

#[test]
fn a_template_has_a_name_of_its_own_and_a_first_version() {
    let client = Client::new();
    let made = client.ec2(format!("{CREATE}&ClientToken=one"));
    assert_snapshot!(made.outline("launchTemplate"), @"
    createTime 2026-01-02T03:04:05Z
    createdBy arn:aws:iam::123456789012:root
    defaultVersionNumber 1
    latestVersionNumber 1
    launchTemplateId lt-0056efcaf8f7a4e4f
    launchTemplateName sensor
    operator
      managed false
    tagSet
      item
        key team
        value net
    ");
    let logged = client.cloud.log().expect("it is in memory").pop().expect("it was called");
    assert!(logged.parameters.contains("LaunchTemplateData.UserData=%3CsensitiveDataRemoved%3E"));
    let again = client.ec2(format!("{CREATE}&ClientToken=one"));
    assert_eq!(again.text("launchTemplateId"), made.text("launchTemplateId"));
    let in_use = "InvalidLaunchTemplateName.AlreadyExistsException";
    assert_eq!(client.ec2_refused(CREATE), in_use);
    let other = format!("{}&ClientToken=one", CREATE.replace("=sensor&V", "=other&V"));
    assert_eq!(client.ec2_refused(other), "IdempotentParameterMismatch");
    assert_eq!(client.ec2_refused(format!("{CREATE}&DryRun=true")), "DryRunOperation");
    let id = made.text("launchTemplateId");
    let versions = client.ec2(format!("DescribeLaunchTemplateVersions&LaunchTemplateId={id}"));
    assert_snapshot!(versions.outline("launchTemplateVersionSet"), @"
    item
      createTime 2026-01-02T03:04:05Z
      createdBy arn:aws:iam::123456789012:root
      defaultVersion true
      launchTemplateData
        blockDeviceMappingSet
          item
            deviceName /dev/xvda
            ebs
              encrypted true
        iamInstanceProfile
          name p
        instanceType t3.micro
        metadataOptions
          httpPutResponseHopLimit 1
          httpTokens required
        securityGroupIdSet
          item sg-1
          item sg-2
        tagSpecificationSet
          item
            resourceType instance
            tagSet
              item
                key Name
                value sensor
        userData aGk=
      launchTemplateId lt-0056efcaf8f7a4e4f
      launchTemplateName sensor
      operator
        managed false
      versionDescription first
      versionNumber 1
    ");
}

#[test]
fn names_and_data_are_checked() {
    let client = Client::new();
    let cases = [
        (
            "LaunchTemplateName=ab&LaunchTemplateData.ImageId=x",
            "InvalidLaunchTemplateName.MalformedException",
        ),
        ("LaunchTemplateName=abc", "MissingParameter"),
        ("LaunchTemplateData.ImageId=x", "MissingParameter"),
        ("LaunchTemplateName=abc&LaunchTemplateData.UserData=x", "InvalidUserData.Malformed"),
        (
            "LaunchTemplateName=abc&LaunchTemplateData.CpuOptions.CoreCount=1",
            "UnsupportedOperation",
        ),
        ("LaunchTemplateName=abc&LaunchTemplateData.EbsOptimized=maybe", "InvalidParameterValue"),
        (
            "LaunchTemplateName=abc&LaunchTemplateData.ImageId=x\
             &TagSpecification.1.ResourceType=instance",
            "InvalidParameterValue",
        ),
    ];
    for (rest, code) in cases {
        assert_eq!(client.ec2_refused(format!("CreateLaunchTemplate&{rest}")), code, "{rest}");
    }
    // Nothing is looked up: that an object is missing is found out at a launch.
    client.ec2("CreateLaunchTemplate&LaunchTemplateName=abc&LaunchTemplateData.ImageId=ami-none");
}

#[test]
fn a_template_is_found_by_id_by_name_and_by_filters() {
    let client = Client::new();
    let (one, two) = (template(&client, "one"), template(&client, "two"));
    let ids =
        |call: &str| client.ec2(format!("DescribeLaunchTemplates{call}")).texts("launchTemplateId");
    let mut both = vec![one.clone(), two.clone()];
    both.sort();
    assert_eq!(ids(""), both);
    assert_eq!(ids(&format!("&LaunchTemplateId.1={two}")), [two.as_str()]);
    assert_eq!(ids("&LaunchTemplateName.1=one"), [one.as_str()]);
    assert_eq!(ids("&Filter.1.Name=launch-template-name&Filter.1.Value.1=tw*"), [two.as_str()]);
    client.ec2(format!("CreateTags&ResourceId.1={one}&Tag.1.Key=k&Tag.1.Value=v"));
    assert_eq!(ids("&Filter.1.Name=tag:k&Filter.1.Value.1=v"), [one.as_str()]);
    let tags =
        client.ec2("DescribeTags&Filter.1.Name=resource-type&Filter.1.Value.1=launch-template");
    assert_eq!(tags.texts("resourceId"), [one.as_str()]);
    client.ec2(format!("DeleteTags&ResourceId.1={one}&Tag.1.Key=k"));
    assert_eq!(ids("&Filter.1.Name=tag:k&Filter.1.Value.1=v"), Vec::<String>::new());
    let page = client.ec2("DescribeLaunchTemplates&MaxResults=1");
    let next = format!("&MaxResults=1&NextToken={}", page.text("nextToken"));
    assert_eq!([page.texts("launchTemplateId"), ids(&next)].concat(), both);
    for (rest, code) in [
        ("&LaunchTemplateId.1=lt-00000000000000000", "InvalidLaunchTemplateId.NotFound"),
        ("&LaunchTemplateId.1=x", "InvalidLaunchTemplateId.Malformed"),
        ("&LaunchTemplateName.1=none", "InvalidLaunchTemplateName.NotFoundException"),
        ("&MaxResults=201", "InvalidParameterValue"),
    ] {
        assert_eq!(client.ec2_refused(format!("DescribeLaunchTemplates{rest}")), code, "{rest}");
    }
}

/// The numbers of the versions that a call describes, in the order of the answer.
fn numbers(client: &Client, rest: &str) -> Vec<String> {
    client.ec2(format!("DescribeLaunchTemplateVersions{rest}")).texts("versionNumber")
}

/// Makes another version of a template, which takes nothing from earlier versions.
fn add_version(client: &Client, template: &str) {
    client.ec2(format!(
        "CreateLaunchTemplateVersion&LaunchTemplateId={template}&LaunchTemplateData.KeyName=k"
    ));
}

#[test]
fn a_version_is_made_of_another_one_or_of_nothing() {
    let client = Client::new();
    let id = template(&client, "sensor");
    let create = format!(
        "CreateLaunchTemplateVersion&LaunchTemplateId={id}&SourceVersion=1\
         &LaunchTemplateData.InstanceType=t3.small&ClientToken=t"
    );
    let second = client.ec2(&create);
    assert_eq!(second.text("versionNumber"), "2");
    assert_eq!(client.ec2(&create).text("versionNumber"), "2");
    assert_eq!(second.text("instanceType"), "t3.small");
    assert_eq!(second.texts("imageId").len(), 1);
    assert_eq!(second.text("defaultVersion"), "false");
    let bare = client
        .ec2("CreateLaunchTemplateVersion&LaunchTemplateName=sensor&LaunchTemplateData.KeyName=k");
    assert_eq!((bare.text("versionNumber").as_str(), bare.texts("imageId").len()), ("3", 0));
    let unknown = create.replace("SourceVersion=1", "SourceVersion=9").replace("=t", "=u");
    assert_eq!(client.ec2_refused(unknown), "InvalidLaunchTemplateId.VersionNotFound");
}

#[test]
fn versions_are_listed_newest_first_in_several_ways() {
    let client = Client::new();
    let id = template(&client, "sensor");
    let other = template(&client, "other");
    (0..2).for_each(|_| add_version(&client, &id));
    let own = format!("&LaunchTemplateId={id}");
    let of = |rest: &str| numbers(&client, &format!("{own}{rest}"));
    assert_eq!(of(""), ["3", "2", "1"]);
    assert_eq!(of("&MinVersion=2"), ["3", "2"]);
    assert_eq!(of("&MaxVersion=2"), ["2", "1"]);
    assert_eq!(of("&LaunchTemplateVersion.1=$Latest"), ["3"]);
    assert_eq!(of("&LaunchTemplateVersion.1=$Latest&LaunchTemplateVersion.2=3"), ["3"]);
    assert_eq!(of("&Filter.1.Name=is-default-version&Filter.1.Value.1=true"), ["1"]);
    let page = client.ec2(format!("DescribeLaunchTemplateVersions{own}&MaxResults=2"));
    let next = format!("&MaxResults=2&NextToken={}", page.text("nextToken"));
    assert_eq!(
        (page.texts("versionNumber"), of(&next)),
        (vec!["3".into(), "2".into()], vec!["1".into()])
    );
    let mut latest = numbers(&client, "&LaunchTemplateVersion.1=$Latest");
    latest.sort();
    assert_eq!(latest, ["1", "3"]);
    let defaults = client.ec2("DescribeLaunchTemplateVersions&LaunchTemplateVersion.1=$Default");
    let mut both = [id, other];
    both.sort();
    assert_eq!(defaults.texts("launchTemplateId"), both);
    for (rest, code) in [
        ("&LaunchTemplateVersion.1=1", "MissingParameter"),
        ("", "MissingParameter"),
        (
            "&LaunchTemplateName=sensor&LaunchTemplateVersion.1=4",
            "InvalidLaunchTemplateId.VersionNotFound",
        ),
        ("&LaunchTemplateName=sensor&LaunchTemplateVersion.1=x", "InvalidParameterValue"),
        (
            "&LaunchTemplateName=sensor&LaunchTemplateVersion.1=1&MinVersion=1",
            "InvalidParameterCombination",
        ),
    ] {
        let call = format!("DescribeLaunchTemplateVersions{rest}");
        assert_eq!(client.ec2_refused(call), code, "{rest}");
    }
}

#[test]
fn another_version_can_become_the_default_and_the_others_go() {
    let client = Client::new();
    let id = template(&client, "sensor");
    (0..2).for_each(|_| add_version(&client, &id));
    let named = format!("LaunchTemplateId={id}");
    let modify =
        |version: &str| format!("ModifyLaunchTemplate&{named}&SetDefaultVersion={version}");
    let modified = client.ec2(modify("2"));
    assert_eq!(modified.text("defaultVersionNumber"), "2");
    assert_eq!(modified.text("latestVersionNumber"), "3");
    assert_eq!(client.ec2_refused(modify("4")), "InvalidLaunchTemplateId.VersionNotFound");
    assert_eq!(client.ec2_refused(modify("x")), "InvalidParameterValue");
    let deleted = client.ec2(format!(
        "DeleteLaunchTemplateVersions&{named}&LaunchTemplateVersion.1=1&LaunchTemplateVersion.2=2\
         &LaunchTemplateVersion.3=9"
    ));
    assert_eq!(deleted.texts("versionNumber"), ["1", "2", "9"]);
    let kept = deleted.outline("unsuccessfullyDeletedLaunchTemplateVersionSet");
    assert_snapshot!(kept, @"
    item
      launchTemplateId lt-0056efcaf8f7a4e4f
      launchTemplateName sensor
      versionNumber 2
      responseError
        code unexpectedError
        message The default version of a launch template cannot be deleted.
    item
      launchTemplateId lt-0056efcaf8f7a4e4f
      launchTemplateName sensor
      versionNumber 9
      responseError
        code launchTemplateVersionDoesNotExist
        message The launch template version does not exist.
    ");
    assert_eq!(numbers(&client, &format!("&{named}")), ["3", "2"]);
}

#[test]
fn a_deleted_template_leaves_its_name_and_no_versions() {
    let client = Client::new();
    let id = template(&client, "sensor");
    add_version(&client, &id);
    client.ec2(format!("DeleteLaunchTemplate&LaunchTemplateId={id}"));
    let defaults = "&LaunchTemplateVersion.1=$Default";
    assert_eq!(numbers(&client, defaults), Vec::<String>::new());
    let again = format!("DeleteLaunchTemplate&LaunchTemplateId={id}");
    assert_eq!(client.ec2_refused(again), "InvalidLaunchTemplateId.NotFound");
    let renewed = template(&client, "sensor");
    assert_eq!(numbers(&client, &format!("&LaunchTemplateId={renewed}")), ["1"]);
    client.ec2("DeleteLaunchTemplate&LaunchTemplateName=sensor");
}

#[test]
fn a_launch_says_what_the_template_does_not() {
    let client = Client::new();
    let id = template(&client, "sensor");
    let run = |rest: &str| format!("RunInstances&MinCount=1&MaxCount=1{rest}");
    let from = format!("&LaunchTemplate.LaunchTemplateId={id}");
    let plain = client.ec2(run(&from));
    assert_eq!(plain.text("instanceType"), "t3.micro");
    assert_snapshot!(plain.outline("tagSet"), @"
    item
      key aws:ec2launchtemplate:id
      value lt-0056efcaf8f7a4e4f
    item
      key aws:ec2launchtemplate:version
      value 1
    ");
    let over = client.ec2(run(&format!("{from}&InstanceType=t3.small")));
    assert_eq!(over.text("instanceType"), "t3.small");
    client.ec2(format!(
        "CreateLaunchTemplateVersion&LaunchTemplateId={id}&SourceVersion=1\
         &LaunchTemplateData.InstanceType=t3.medium"
    ));
    assert_eq!(client.ec2(run(&from)).text("instanceType"), "t3.micro");
    let latest = format!("{from}&LaunchTemplate.Version=$Latest");
    assert_eq!(client.ec2(run(&latest)).text("instanceType"), "t3.medium");
    for (rest, code) in [
        ("&LaunchTemplate.LaunchTemplateName=none", "InvalidLaunchTemplateName.NotFoundException"),
        ("&LaunchTemplate.Version=1", "MissingParameter"),
        (&format!("{from}&LaunchTemplate.Version=7"), "InvalidLaunchTemplateId.VersionNotFound"),
        (
            &format!("{from}&LaunchTemplate.LaunchTemplateName=sensor"),
            "InvalidParameterCombination",
        ),
        (&format!("{from}&ImageId=ami-00000000"), "InvalidAMIID.NotFound"),
        (
            &format!(
                "{from}&TagSpecification.1.ResourceType=instance&TagSpecification.1.Tag.1.Key=aws:x"
            ),
            "InvalidParameterValue",
        ),
    ] {
        assert_eq!(client.ec2_refused(run(rest)), code, "{rest}");
    }
}
