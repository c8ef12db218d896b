//! A catalogue behind https: a real TLS server, with a certificate that the system knows and with one that it does not.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use serde_json::Value;

use crate::folder::Folder;
use crate::program::Program;

/// `openssl s_server`, which answers with the files of its folder; dropped, it is killed.
struct Tls {
    child: Child,
    port: u16,
}

impl Tls {
    /// Over `folder`, by a certificate for localhost that `ca.pem` there vouches for.
    fn start(folder: &Path) -> Tls {
        let key = ["-newkey", "rsa:2048", "-nodes", "-days", "2"];
        openssl(
            folder,
            &["req", "-x509", "-subj", "/CN=a trial", "-keyout", "ca.key", "-out", "ca.pem"],
            &key,
        );
        let name = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"];
        let asked = [&["req", "-keyout", "key.pem", "-out", "asked.pem"], &name[..]].concat();
        openssl(folder, &asked, &key[..3]);
        let signed = ["x509", "-req", "-in", "asked.pem", "-CA", "ca.pem", "-CAkey", "ca.key", "-days", "2"];
        openssl(folder, &signed, &["-copy_extensions", "copy", "-out", "cert.pem"]);
        let serving = ["-accept", "127.0.0.1:0", "-cert", "cert.pem", "-key", "key.pem", "-HTTP"];
        let mut child = Command::new("openssl")
            .arg("s_server")
            .args(serving)
            .current_dir(folder)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("openssl starts");
        let lines = BufReader::new(child.stdout.take().expect("its standard output")).lines();
        let port = lines.map_while(Result::ok).find_map(|line| line.rsplit_once(':')?.1.parse().ok());
        Tls { child, port: port.expect("where it listens") }
    }
}

impl Drop for Tls {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn openssl(folder: &Path, arguments: &[&str], more: &[&str]) {
    let output = Command::new("openssl").args(arguments).args(more).current_dir(folder).output();
    let output = output.expect("openssl runs");
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
}

/// The cart of a fresh guest who takes a mug, where the catalogue is `address` and `vouchers` are trusted.
fn cart_with_a_mug(folder: &Path, address: &str, vouchers: &Path) -> Value {
    fs::create_dir(folder).expect("a folder");
    let mut under = Command::new("env");
    under.arg(format!("SSL_CERT_FILE={}", vouchers.display()));
    let program = Program::start_under(under, folder, &["--catalogue", address]);
    let added = program.wire().send("POST", "/v1/cart/lines", &[], r#"{"sku": "mug"}"#).expect("an answer");
    assert_eq!(added.status, 200, "{added:?}");
    added.body
}

#[test]
#[ignore = "system: ./check runs it"]
fn an_https_catalogue_is_believed_by_its_certificate_alone() {
    let folder = Folder::new("https");
    let product = r#"{"title": "Mug", "price": {"amount": 450, "currency": "EUR"}}"#;
    let answer =
        format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{product}", product.len());
    fs::create_dir(folder.join("products")).expect("a folder");
    fs::write(folder.join("products/mug"), answer).expect("a product");
    let tls = Tls::start(folder.path());
    let address = format!("https://localhost:{}/products", tls.port);

    let known = cart_with_a_mug(&folder.join("known"), &address, &folder.join("ca.pem"));
    assert_eq!((&known["lines"][0]["title"], &known["subtotal"]["amount"]), (&"Mug".into(), &450.into()));

    // Another one's voucher: nothing that this server says is believed, and the cart works on.
    let other = Folder::new("https-other");
    drop(Tls::start(other.path()));
    let unknown = cart_with_a_mug(&folder.join("unknown"), &address, &other.join("ca.pem"));
    assert_eq!((&unknown["lines"][0]["title"], &unknown["quantity"]), (&Value::Null, &1.into()));
    assert!(unknown["notices"].to_string().contains("catalogue_down"), "{unknown}");
    // By its number the server is not who its certificate says it is.
    let numbered = format!("https://127.0.0.1:{}/products", tls.port);
    let stranger = cart_with_a_mug(&folder.join("stranger"), &numbered, &folder.join("ca.pem"));
    assert!(stranger["notices"].to_string().contains("catalogue_down"), "{stranger}");
}
