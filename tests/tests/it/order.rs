//! Order: AWS lists objects in any order and in pages of any size, and a plan does not depend on that.

use std::collections::BTreeSet;
use std::hash::{BuildHasher as _, BuildHasherDefault, DefaultHasher};
use std::sync::{Arc, Mutex};

use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient,
    SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use mirror_plan::address::Kind;
use mirror_plan::plan::Request;
use mirror_tests::{Rig, config_of, wide};

/// How often the cloud is observed.
const RUNS: u64 = 1_000;

#[tokio::test]
async fn a_plan_has_one_digest_in_whatever_order_and_pages_aws_answers() {
    let rig = Rig::instant();
    let mut stack = wide();
    rig.converge(&stack).await;
    // A plan with some of everything: objects to replace, to change and to delete.
    let of = |kind| stack.resources.keys().find(|address| address.kind == kind).cloned().unwrap();
    let (session, balancer) = (of(Kind::MirrorSession), of(Kind::LoadBalancer));
    stack.resources.remove(&session);
    let request = Request { replace: [balancer].into(), ..Request::default() };
    let mut planned = rig.plan_for(&stack, &request).await;
    let mut digests = BTreeSet::from([planned.digest()]);
    let mut orders = BTreeSet::new();
    let mut calls = BTreeSet::new();
    for seed in 0..RUNS {
        let answers = Arc::new(Mutex::new(Answers {
            random: fastrand::Rng::with_seed(seed),
            told: Vec::new(),
        }));
        let client = Shuffled { client: rig.cloud.http_client(), answers: answers.clone() };
        let shuffled = Rig {
            aws: mirror_plan::aws::Aws::new(
                &config_of(SharedHttpClient::new(client)),
                mirror_plan::aws::Pace::Local,
            )
            .unwrap(),
            ..rig.clone()
        };
        let plan = shuffled.plan_for(&stack, &request).await;
        digests.insert(plan.digest());
        planned = plan;
        let told = std::mem::take(&mut answers.lock().unwrap().told);
        calls.insert(told.len());
        orders.insert(told);
    }
    assert_eq!(digests.len(), 1, "of {RUNS} plans");
    let text = planned.to_string();
    assert!(text.contains("\nreplace ") && text.contains("\ndelete "), "{text}");
    assert!(orders.len() as u64 > RUNS * 9 / 10, "only {} orders were told", orders.len());
    assert!(calls.len() > 3, "pages were of few sizes: {calls:?}");
}

/// The randomness between the SDK and the cloud, and what was answered through it.
#[derive(Debug)]
struct Answers {
    random: fastrand::Rng,
    /// The hash of each answer.
    told: Vec<u64>,
}

/// A client that asks for pages of random sizes, and gets the elements of every list in random order.
#[derive(Debug)]
struct Shuffled {
    client: SharedHttpClient,
    answers: Arc<Mutex<Answers>>,
}

impl HttpClient for Shuffled {
    fn http_connector(
        &self,
        settings: &HttpConnectorSettings,
        components: &RuntimeComponents,
    ) -> SharedHttpConnector {
        let behind = self.client.http_connector(settings, components);
        SharedHttpConnector::new(Way { behind, answers: self.answers.clone() })
    }
}

#[derive(Debug)]
struct Way {
    behind: SharedHttpConnector,
    answers: Arc<Mutex<Answers>>,
}

impl HttpConnector for Way {
    fn call(&self, mut request: HttpRequest) -> HttpConnectorFuture {
        let (behind, answers) = (self.behind.clone(), self.answers.clone());
        resize_pages(&mut request, &mut answers.lock().unwrap().random);
        HttpConnectorFuture::new(async move {
            let mut answer = behind.call(request).await?;
            shuffle(&mut answer, &mut answers.lock().unwrap());
            Ok(answer)
        })
    }
}

/// Asks for fewer elements per page, if the request asks for pages.
fn resize_pages(request: &mut HttpRequest, random: &mut fastrand::Rng) {
    let body = request.body().bytes().and_then(|body| std::str::from_utf8(body).ok());
    let Some(body) = body.filter(|body| body.starts_with("Action=")) else { return };
    let resized = body.split('&').map(|pair| match pair.split_once('=') {
        Some((name @ "MaxResults", _)) => format!("{name}={}", random.u32(5..=30)),
        Some((name @ "PageSize", _)) => format!("{name}={}", random.u32(1..=4)),
        _ => pair.to_owned(),
    });
    let resized = resized.collect::<Vec<_>>().join("&");
    let length = resized.len().to_string();
    request.headers_mut().insert("content-length", length);
    *request.body_mut() = SdkBody::from(resized);
}

fn shuffle(answer: &mut HttpResponse, answers: &mut Answers) {
    let body = answer.body().bytes().and_then(|body| std::str::from_utf8(body).ok());
    let Some(body) = body.filter(|body| body.contains('<')) else { return };
    let start = body.find("?>").map_or(0, |end| end + "?>".len());
    let mut elements = elements(&mut &body[start..]);
    elements.iter_mut().for_each(|element| element.shuffle(&mut answers.random));
    let shuffled: String =
        [body[..start].to_owned()].into_iter().chain(elements.iter().map(Element::text)).collect();
    assert_eq!(shuffled.len(), body.len(), "{body}");
    answers.told.push(BuildHasherDefault::<DefaultHasher>::default().hash_one(&shuffled));
    *answer.body_mut() = SdkBody::from(shuffled);
}

/// An XML element, or text, which has no name.
struct Element {
    name: String,
    open: String,
    inner: Vec<Self>,
}

impl Element {
    /// Shuffles every list within the element.
    fn shuffle(&mut self, random: &mut fastrand::Rng) {
        let is_list = |inner: &[Self]| {
            inner.iter().all(|element| ["item", "member"].contains(&element.name.as_str()))
        };
        if is_list(&self.inner) {
            random.shuffle(&mut self.inner);
        }
        self.inner.iter_mut().for_each(|element| element.shuffle(random));
    }

    fn text(&self) -> String {
        let Self { name, open, inner } = self;
        let inner: String = inner.iter().map(Self::text).collect();
        match name.as_str() {
            "" => open.clone(),
            _ if open.ends_with("/>") => open.clone(),
            name => format!("{open}{inner}</{name}>"),
        }
    }
}

/// Reads elements and text, as the local AWS writes them, up to the end of the enclosing element.
fn elements(rest: &mut &str) -> Vec<Element> {
    let mut all = Vec::new();
    while !rest.is_empty() {
        let end = if rest.starts_with('<') {
            rest.find('>').expect("a tag ends") + 1
        } else {
            rest.find('<').unwrap_or(rest.len())
        };
        let (open, after) = rest.split_at(end);
        *rest = after;
        if open.starts_with("</") {
            return all;
        }
        let name = open
            .strip_prefix('<')
            .map_or("", |tag| tag.split([' ', '/', '>']).next().unwrap_or_default());
        let inner =
            if name.is_empty() || open.ends_with("/>") { Vec::new() } else { elements(rest) };
        all.push(Element { name: name.to_owned(), open: open.to_owned(), inner });
    }
    all
}
