//! An AWS whose slow operations last until the test moves the clock.

use std::process::Command;
use std::time::Duration;

use mirror_local::{Clock, Cloud, Durations, Server, Settings, VirtualClock};
use tokio::runtime::{Builder, Runtime};

use crate::Folder;

/// An AWS on a port, where only what a test waits for takes any time.
pub(super) struct SlowAws {
    url: String,
    clock: VirtualClock,
    /// Serves for as long as it is held.
    _runtime: Runtime,
}

impl SlowAws {
    pub(super) fn start() -> Self {
        let clock = VirtualClock::starting_at("2026-01-01T00:00:00Z".parse().expect("a time"));
        let mut settings = Settings::default();
        settings.durations = Durations::instant();
        settings.durations.instance_pending = Duration::from_secs(10);
        settings.durations.load_balancer_provisioning = Duration::from_secs(100);
        let cloud =
            Cloud::in_memory().with_clock(Clock::Virtual(clock.clone())).with_settings(settings);
        let runtime =
            Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime");
        let server = runtime.block_on(Server::bind(cloud, 0)).expect("there is a free port");
        let url = format!("http://{}", server.address());
        runtime.spawn(server.run(std::future::pending()));
        Self { url, clock, _runtime: runtime }
    }

    /// `mirror` against this AWS.
    pub(super) fn command(&self, folder: &Folder, arguments: &str) -> Command {
        let mut command = folder.command(arguments);
        command
            .env("AWS_ENDPOINT_URL", &self.url)
            .env("AWS_ACCESS_KEY_ID", "any")
            .env("AWS_SECRET_ACCESS_KEY", "any");
        command
    }

    /// Lets this many seconds pass.
    pub(super) fn advance(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
    }
}
