//! The few calls of Systems Manager and Security Token Service.

use crate::client::Client;
use insta::assert_snapshot;

const SSM: &str = "AWS4-HMAC-SHA256 Credential=k/20260102/us-east-1/ssm/aws4_request";
const LATEST: &str = "/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-x86_64";

fn ssm(client: &Client, action: &str, body: &str) -> String {
    let target = format!("AmazonSSM.{action}");
    let request = http::Request::post("/").header("x-amz-target", target);
    let request = request.header("authorization", SSM).body(()).expect("it is a request");
    let (head, ()) = request.into_parts();
    let response = client.cloud.call(&head, body.as_bytes()).response;
    response.expect("nothing drops the connection").body
}

#[test]
fn the_latest_image_is_one_that_exists() {
    let client = Client::new();
    let found = ssm(&client, "GetParameter", &format!("{{\"Name\": \"{LATEST}\"}}"));
    assert_snapshot!(found, @r#"{"Parameter":{"ARN":"arn:aws:ssm:us-east-1::parameter/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-x86_64","DataType":"aws:ec2:image","LastModifiedDate":1762800724,"Name":"/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-x86_64","Type":"String","Value":"ami-02aecb989086f735e","Version":1}}"#);
    let id = found.split("\"Value\":\"").nth(1).unwrap().split('"').next().unwrap();
    let described = client.ec2(format!("DescribeImages&ImageId.1={id}"));
    assert_eq!(described.text("imageId"), id);
}

#[test]
fn a_parameter_that_is_not_there() {
    let client = Client::new();
    assert_snapshot!(ssm(&client, "GetParameter", "{\"Name\": \"/a\"}"), @r#"{"__type":"ParameterNotFound","message":"The parameter /a does not exist"}"#);
    assert_snapshot!(ssm(&client, "GetParameters", "{\"Names\": [\"/a\"]}"), @r#"{"InvalidParameters":["/a"],"Parameters":[]}"#);
}

#[test]
fn a_role_is_of_the_account_in_its_arn() {
    let client = Client::new();
    let assume = |more: &str| {
        client.call("2011-06-15", &format!("AssumeRole&RoleSessionName=mirror-lab{more}"))
    };
    let arn = "arn:aws:iam::444455556666:role/network/mirror";
    assert_snapshot!(assume(&format!("&RoleArn={arn}")).unwrap().lines(), @r#"
    <?xml version="1.0" encoding="UTF-8"?>
    <AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">
    <AssumeRoleResult>
    <Credentials>
    <AccessKeyId>444455556666</AccessKeyId>
    <SecretAccessKey>local</SecretAccessKey>
    <SessionToken>local</SessionToken>
    <Expiration>2026-01-02T04:04:05Z</Expiration>
    </Credentials>
    <AssumedRoleUser>
    <AssumedRoleId>AROA444455556666:mirror-lab</AssumedRoleId>
    <Arn>arn:aws:sts::444455556666:assumed-role/mirror/mirror-lab</Arn>
    </AssumedRoleUser>
    </AssumeRoleResult>
    <ResponseMetadata>
    <RequestId>9cd21d4b-c423-476e-a7ee-ca1741350d65</RequestId>
    </ResponseMetadata>
    </AssumeRoleResponse>
    "#);
    for wrong in [
        "",
        "&RoleArn=mirror",
        "&RoleArn=arn:aws:iam::4444:role/mirror",
        "&RoleArn=arn:aws:iam::444455556666:user/mirror",
    ] {
        assert!(assume(wrong).is_err(), "{wrong}");
    }
    let short = format!("&RoleArn={arn}&DurationSeconds=60");
    assert!(assume(&short).is_err());
}

#[test]
fn the_caller_is_the_account() {
    let client = Client::new();
    let identity = client.call("2011-06-15", "GetCallerIdentity").unwrap();
    assert_snapshot!(identity.lines(), @r#"
    <?xml version="1.0" encoding="UTF-8"?>
    <GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">
    <GetCallerIdentityResult>
    <UserId>123456789012</UserId>
    <Account>123456789012</Account>
    <Arn>arn:aws:iam::123456789012:root</Arn>
    </GetCallerIdentityResult>
    <ResponseMetadata>
    <RequestId>9cd21d4b-c423-476e-a7ee-ca1741350d65</RequestId>
    </ResponseMetadata>
    </GetCallerIdentityResponse>
    "#);
}
