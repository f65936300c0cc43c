//! Reports over HTTP whether a watch is healthy: to a load balancer, an orchestrator, a person.

use std::io::{self, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use serde_json::json;

/// How many rounds in a row fail before the watch counts as unhealthy.
const ILL_AFTER: u32 = 3;

/// How long a client may take for its request.
const PATIENCE: Duration = Duration::from_secs(5);

/// How the rounds of a watch went.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Rounds {
    ended: u64,
    failed_in_a_row: u32,
    last_success: Option<jiff::Timestamp>,
}

/// The state that is reported to clients.
#[derive(Debug, Default)]
pub(crate) struct Health {
    rounds: Arc<Mutex<Rounds>>,
    address: Option<SocketAddr>,
}

impl Health {
    /// Answers on an address from now on, if one is given.
    pub(crate) fn serve(address: Option<SocketAddr>) -> io::Result<Self> {
        let mut health = Self::default();
        if let Some(address) = address {
            let listener = TcpListener::bind(address)?;
            health.address = Some(listener.local_addr()?);
            let rounds = health.rounds.clone();
            thread::Builder::new().name("health".to_owned()).spawn(move || {
                for stream in listener.incoming().flatten() {
                    let rounds = *rounds.lock().unwrap_or_else(PoisonError::into_inner);
                    // A client that does not read the answer does not get it.
                    drop(answer(stream, rounds));
                }
            })?;
        }
        Ok(health)
    }

    /// The address that it answers on.
    pub(crate) const fn address(&self) -> Option<SocketAddr> {
        self.address
    }

    /// Records the end of a round, after which this many rounds have failed in a row.
    pub(crate) fn round(&self, failed_in_a_row: u32) {
        let mut rounds = self.rounds.lock().unwrap_or_else(PoisonError::into_inner);
        rounds.ended += 1;
        rounds.failed_in_a_row = failed_in_a_row;
        if failed_in_a_row == 0 {
            rounds.last_success = Some(jiff::Timestamp::now());
        }
    }
}

/// Answers one request, whatever it asks for.
fn answer(mut stream: TcpStream, rounds: Rounds) -> io::Result<()> {
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    let mut question = [0; 1024];
    let _ = stream.read(&mut question)?;
    stream.write_all(response(rounds).as_bytes())
}

fn response(rounds: Rounds) -> String {
    let Rounds { ended, failed_in_a_row, last_success } = rounds;
    let (status, word) = match failed_in_a_row {
        0..ILL_AFTER => ("200 OK", "well"),
        _ => ("503 Service Unavailable", "failing"),
    };
    let body = json!({
        "status": word,
        "rounds": ended,
        "failed_in_a_row": failed_in_a_row,
        "last_success": last_success.map(|at| at.to_string()),
    });
    let body = format!("{body}\n");
    format!(
        "HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\
         Connection: close\r\n\r\n{body}",
        body.len()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_well_until_several_rounds_in_a_row_have_failed() {
        let status = |failed_in_a_row| {
            let response = response(Rounds { ended: 9, failed_in_a_row, last_success: None });
            response.lines().next().unwrap().to_owned()
        };
        assert_eq!([0, 2].map(status), ["HTTP/1.1 200 OK"; 2]);
        assert_eq!([3, 99].map(status), ["HTTP/1.1 503 Service Unavailable"; 2]);
    }

    #[test]
    fn whoever_asks_is_told_how_the_rounds_went() {
        let health = Health::serve(Some(([127, 0, 0, 1], 0).into())).unwrap();
        health.round(1);
        health.round(0);
        let mut stream = TcpStream::connect(health.address().unwrap()).unwrap();
        stream.write_all(b"GET / HTTP/1.1\r\n\r\n").unwrap();
        let mut told = String::new();
        stream.read_to_string(&mut told).unwrap();
        let (head, body) = told.split_once("\r\n\r\n").unwrap();
        assert!(head.contains(&format!("Content-Length: {}", body.len())), "{head}");
        let body: serde_json::Value = serde_json::from_str(body).unwrap();
        assert_eq!((body["status"].as_str(), body["rounds"].as_u64()), (Some("well"), Some(2)));
        assert!(body["last_success"].is_string());
    }
}
