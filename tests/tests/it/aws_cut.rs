//! Answers that are cut off, though their stated length makes them look complete: a proxy may do that.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient,
    SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use mirror_plan::aws::{Aws, Pace, Wanted, observe};
use mirror_plan::plan::Mode;
use mirror_tests::{Rig, config_of, lab};

/// Cuts off the first answer to one action.
#[derive(Clone, Debug)]
struct Cut {
    inner: SharedHttpClient,
    action: String,
    /// How many thousandths of the answer arrive.
    thousandths: usize,
    is_done: Arc<AtomicBool>,
}

impl HttpClient for Cut {
    fn http_connector(
        &self,
        settings: &HttpConnectorSettings,
        components: &RuntimeComponents,
    ) -> SharedHttpConnector {
        let connector = self.inner.http_connector(settings, components);
        SharedHttpConnector::new(Cutting { cut: self.clone(), connector })
    }
}

#[derive(Debug)]
struct Cutting {
    cut: Cut,
    connector: SharedHttpConnector,
}

impl HttpConnector for Cutting {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let Cut { action, thousandths, is_done, .. } = self.cut.clone();
        let form = request.body().bytes().map(String::from_utf8_lossy).unwrap_or_default();
        let is_it = form.starts_with(&format!("Action={action}&"));
        let answer = self.connector.call(request);
        HttpConnectorFuture::new(async move {
            let mut answer = answer.await?;
            let body = answer.body().bytes().map(<[u8]>::to_vec).unwrap_or_default();
            if is_it && !body.is_empty() && !is_done.swap(true, Ordering::SeqCst) {
                let arrives = (body.len() * thousandths / 1000).min(body.len() - 1);
                answer.headers_mut().insert("content-length", arrives.to_string());
                *answer.body_mut() = SdkBody::from(&body[..arrives]);
            }
            Ok(answer)
        })
    }
}

/// Objects cut off from a list would count as missing, and be created a second time.
#[tokio::test(start_paused = true)]
async fn a_list_that_is_cut_off_is_not_taken_for_a_shorter_one() {
    let rig = Rig::instant();
    let lab = lab();
    rig.converge(&lab).await;
    let images = lab.images();
    let whole = rig.observe(&lab).await;
    let log = rig.cloud.log().unwrap();
    let mut actions: Vec<String> = log.into_iter().map(|call| call.action).collect();
    actions.retain(|action| action.starts_with("Describe"));
    actions.sort();
    actions.dedup();
    let mut struck = 0;
    for action in &actions {
        for thousandths in (50..=1000).step_by(50) {
            let (inner, is_done) = (rig.cloud.http_client(), Arc::new(AtomicBool::new(false)));
            let cut = Cut { inner, action: action.clone(), thousandths, is_done: is_done.clone() };
            let config = config_of(SharedHttpClient::new(cut));
            let aws = Aws::new(&config, Pace::Local).unwrap();
            let seen = observe(&aws, Wanted::to_plan(&lab, &images, Mode::Apply)).await.unwrap();
            assert!(seen.observed == whole, "{action}, {thousandths} thousandths of the answer");
            struck += usize::from(is_done.load(Ordering::SeqCst));
        }
    }
    println!("{struck} answers cut off, of {} actions", actions.len());
    assert!(struck > 200, "{struck}");
}
