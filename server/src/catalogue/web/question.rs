//! One question to the catalogue's address, and what its answer means.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Empty, Limited};
use hyper::header::{ACCEPT, USER_AGENT};
use hyper::{Request, StatusCode, Uri};
use hyper_rustls::{ConfigBuilderExt as _, HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use rustls::crypto::ring;
use rustls::{ClientConfig, RootCertStore};

use crate::catalogue::form;
use crate::service::catalogue::product::Product;

/// The largest answer that is read.
const BYTES_MAX: usize = 64 * 1024;
const AGENT: &str = concat!("trolley/", env!("CARGO_PKG_VERSION"));

/// Why an address cannot be asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// It does not have the form of one.
    #[error(
        "write an address such as https://shop.example/products, without name, password or query, and with a port from 1 to 65535 where it has one"
    )]
    Malformed,
    /// The system has no certificates by which to know an https server.
    #[error("the system's certificates cannot be read: {0}")]
    NoCertificates(String),
}

/// What came of a question.
pub(crate) enum QuestionOutcome {
    /// The shop sells this.
    Product(Product),
    /// The shop has no such product.
    Unknown,
    /// It answers, but not with a product: of this sku nothing is known, and the catalogue is there.
    Odd(String),
    /// It took the question and gave no answer: the sku or the catalogue may be why.
    Silent(String),
    /// It could not be reached: no sku is why.
    Unreachable(String),
}

/// Whom to ask.
pub(crate) struct Question {
    /// Without a slash at its end.
    address: String,
    client: Client<HttpsConnector<HttpConnector>, Empty<Bytes>>,
}

impl Question {
    /// To ask at that address, which has to take a connection within that time.
    pub(crate) fn new(address: &str, connect_within: Duration) -> Result<Question, AddressError> {
        let address = address.trim_end_matches('/');
        let uri: Uri = address.parse().map_err(|_| AddressError::Malformed)?;
        let is_plain = uri.host().is_some_and(|host| !host.is_empty())
            && matches!(uri.scheme_str(), Some("http" | "https"))
            && !uri.authority().is_some_and(|authority| authority.as_str().contains('@'))
            && !address.contains(['?', '#']);
        // What hyper cannot read as a port it leaves out, and would ask the scheme's own.
        let rest = uri.authority().and_then(|authority| authority.as_str().strip_prefix(authority.host()));
        let is_at_a_port = match rest.map(|rest| rest.strip_prefix(':').unwrap_or(rest)) {
            None | Some("") => true,
            Some(port) => port.parse::<u16>().is_ok_and(|port| port > 0),
        };
        if !is_plain || !is_at_a_port {
            return Err(AddressError::Malformed);
        }
        let is_https = uri.scheme_str() == Some("https");
        let connector = HttpsConnectorBuilder::new().with_tls_config(tls(is_https)?);
        let mut plain = HttpConnector::new();
        plain.enforce_http(false);
        plain.set_connect_timeout(Some(connect_within));
        let connector = connector.https_or_http().enable_http1().wrap_connector(plain);
        let client = Client::builder(TokioExecutor::new()).build(connector);
        Ok(Question { address: address.to_owned(), client })
    }

    /// Asks for a sku. How long that may take is the caller's business.
    pub(crate) async fn ask(&self, sku: &str) -> QuestionOutcome {
        let request = Request::get(format!("{}/{}", self.address, in_path(sku)))
            .header(ACCEPT, "application/json")
            .header(USER_AGENT, AGENT)
            .body(Empty::new());
        let request = match request {
            Ok(request) => request,
            // Our own address makes no request of this sku.
            Err(error) => return QuestionOutcome::Odd(error.to_string()),
        };
        let response = match self.client.request(request).await {
            Ok(response) => response,
            Err(error) if error.is_connect() => return QuestionOutcome::Unreachable(told_whole(&error)),
            Err(error) => return QuestionOutcome::Silent(told_whole(&error)),
        };
        match response.status() {
            StatusCode::OK => {}
            StatusCode::NOT_FOUND | StatusCode::GONE => return QuestionOutcome::Unknown,
            other => return QuestionOutcome::Odd(format!("it answers {other}")),
        }
        match Limited::new(response.into_body(), BYTES_MAX).collect().await {
            Ok(body) => match form::product(&body.to_bytes()) {
                Ok(product) => QuestionOutcome::Product(product),
                Err(why) => QuestionOutcome::Odd(why.to_string()),
            },
            Err(error) => QuestionOutcome::Odd(error.to_string()),
        }
    }
}

/// Who vouches for an https server: the system's certificates. On plain http nobody has to, and none need be there.
fn tls(is_https: bool) -> Result<ClientConfig, AddressError> {
    let unusable = |error: &dyn std::error::Error| AddressError::NoCertificates(error.to_string());
    let ring = Arc::new(ring::default_provider());
    let config = ClientConfig::builder_with_provider(ring).with_safe_default_protocol_versions();
    let config = config.map_err(|error| unusable(&error))?;
    let config = if is_https {
        config.with_native_roots().map_err(|error| unusable(&error))?
    } else {
        config.with_root_certificates(RootCertStore::empty())
    };
    Ok(config.with_no_client_auth())
}

/// An error with its causes: the client's own words say only that something failed.
fn told_whole(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(error.source(), |cause| cause.source());
    causes.fold(error.to_string(), |told, cause| format!("{told}: {cause}"))
}

/// A sku as one segment of a path: all but RFC 3986's unreserved characters is percent-encoded, and the skus `.` and `..`,
/// which would be steps of the path, wholly.
fn in_path(sku: &str) -> String {
    let mut path = String::with_capacity(sku.len());
    for byte in sku.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'~' => path.push(char::from(byte)),
            b'.' if !matches!(sku, "." | "..") => path.push('.'),
            byte => path.push_str(&format!("%{byte:02X}")),
        }
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sku_is_one_segment_of_the_path_whatever_it_is() {
        assert_eq!(in_path("mug-blue_2.0~a"), "mug-blue_2.0~a");
        assert_eq!(in_path("a/b?c#d %é"), "a%2Fb%3Fc%23d%20%25%C3%A9");
        assert_eq!(
            (in_path("."), in_path(".."), in_path("../x")),
            ("%2E".into(), "%2E%2E".into(), "..%2Fx".into())
        );
    }

    #[test]
    fn an_address_is_plain_or_refused() {
        let second = Duration::from_secs(1);
        let taken = |address: &str| Question::new(address, second).map(|question| question.address);
        assert_eq!(taken("http://127.0.0.1:9/products/"), Ok("http://127.0.0.1:9/products".to_owned()));
        for plain in
            ["http://[::1]:9/p", "https://[::1]/p", "http://shop.example:65535", "http://shop.example:/p"]
        {
            assert_eq!(taken(plain), Ok(plain.to_owned()));
        }
        for wrong in [
            "http://",
            "https:///x",
            "ftp://shop.example",
            "shop.example/products",
            "https://me:secret@shop.example",
            "https://shop.example/?sku=",
            "https://shop.example/#",
            "http://a b",
            "http://shop.example:99999/products",
            "http://shop.example:0",
            "http://[::1]:70000/",
            "http://shop.example:8x/",
        ] {
            let refused = taken(wrong).unwrap_err();
            assert!(!refused.to_string().contains("secret"), "{wrong}");
        }
    }
}
