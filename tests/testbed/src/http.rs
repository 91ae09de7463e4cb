//! A browser without a window, for a server in another process: HTTP/1.1 by hand, with a cookie jar.

use crate::wait::LIMIT;
use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// A browser that speaks HTTP/1.1 over a connection for each request. A clone is another tab, with the cookies as they
/// are now.
#[derive(Clone, Debug)]
pub struct Http {
    addr: SocketAddr,
    /// Names and values of the cookies that it sends.
    pub cookies: BTreeMap<String, String>,
    /// Sent with every request.
    pub headers: Vec<(&'static str, String)>,
}

/// A response, received whole.
#[derive(Debug)]
pub struct HttpAnswer {
    /// Its status.
    pub status: u16,
    /// Names, in lower case, and values.
    pub headers: Vec<(String, String)>,
    /// Its body.
    pub body: String,
}

impl Http {
    /// A browser that has never been here.
    pub fn new(addr: SocketAddr) -> Self {
        Self { addr, cookies: BTreeMap::new(), headers: Vec::new() }
    }

    /// The same browser, when the server has moved.
    pub fn at(&self, addr: SocketAddr) -> Self {
        Self { addr, ..self.clone() }
    }

    /// Opens a page, wherever it redirects to.
    pub async fn open(&mut self, path: &str) -> HttpAnswer {
        let mut answer = self.send("GET", path, &[]).await;
        for _ in 0..5 {
            let Some(next) = answer.header("location").map(str::to_owned) else { return answer };
            assert!(next.starts_with('/'), "a redirect to {next}");
            answer = self.send("GET", &next, &[]).await;
        }
        panic!("{path} redirects without end");
    }

    /// Fills in a form and takes the answer as it is.
    pub async fn submit(&mut self, path: &str, fields: &[(&str, &str)]) -> HttpAnswer {
        self.send("POST", path, fields).await
    }

    async fn send(&mut self, method: &str, path: &str, fields: &[(&str, &str)]) -> HttpAnswer {
        let answer = self.ask(method, path, fields).await;
        self.take(&answer);
        answer
    }

    /// Asks, and leaves the cookies as they are: for requests at the same time.
    pub async fn ask(&self, method: &str, path: &str, fields: &[(&str, &str)]) -> HttpAnswer {
        let exchange = async {
            let mut stream = self.begin(method, path, fields).await.expect("the server takes a request");
            let mut bytes = Vec::new();
            stream.read_to_end(&mut bytes).await.expect("an answer arrives");
            HttpAnswer::parse(&bytes)
        };
        timeout(LIMIT, exchange).await.unwrap_or_else(|_| panic!("{method} {path} was not answered in {LIMIT:?}"))
    }

    /// Asks a server that may be killed meanwhile, and leaves the cookies as they are. None if no whole answer arrives.
    pub async fn ask_mortal(&self, method: &str, path: &str, fields: &[(&str, &str)]) -> Option<HttpAnswer> {
        let exchange = async {
            let mut stream = self.begin(method, path, fields).await.ok()?;
            let mut bytes = Vec::new();
            stream.read_to_end(&mut bytes).await.ok()?;
            HttpAnswer::is_whole(&bytes).then(|| HttpAnswer::parse(&bytes))
        };
        timeout(LIMIT, exchange).await.unwrap_or_else(|_| panic!("{method} {path} was not answered in {LIMIT:?}"))
    }

    /// Sends a request and hangs up, as browsers do with the first of two clicks.
    pub async fn hang_up_on(&self, method: &str, path: &str, fields: &[(&str, &str)]) {
        drop(self.begin(method, path, fields).await.expect("the server takes a request"));
    }

    async fn begin(&self, method: &str, path: &str, fields: &[(&str, &str)]) -> io::Result<TcpStream> {
        let body: Vec<_> = fields.iter().map(|(name, value)| format!("{name}={}", encode(value))).collect();
        let body = body.join("&");
        let mut head = format!("{method} {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n", self.addr);
        if method == "POST" {
            head += "Content-Type: application/x-www-form-urlencoded\r\n";
            head += &format!("Content-Length: {}\r\n", body.len());
        }
        if !self.cookies.is_empty() {
            let cookies: Vec<_> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
            head += &format!("Cookie: {}\r\n", cookies.join("; "));
        }
        for (name, value) in &self.headers {
            head += &format!("{name}: {value}\r\n");
        }
        let mut stream = TcpStream::connect(self.addr).await?;
        stream.write_all(format!("{head}\r\n{body}").as_bytes()).await?;
        Ok(stream)
    }

    fn take(&mut self, answer: &HttpAnswer) {
        for cookie in answer.all("set-cookie") {
            let (name, value) = cookie.split(';').next().and_then(|pair| pair.split_once('=')).expect("a cookie");
            if cookie.contains("Max-Age=0") {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
    }
}

impl HttpAnswer {
    /// Whether nothing of it was cut off.
    fn is_whole(bytes: &[u8]) -> bool {
        let text = String::from_utf8_lossy(bytes).to_ascii_lowercase();
        let Some((head, body)) = text.split_once("\r\n\r\n") else { return false };
        let length = head.lines().find_map(|line| line.strip_prefix("content-length:"));
        length.is_none_or(|length| length.trim() == body.len().to_string())
    }

    fn parse(bytes: &[u8]) -> Self {
        let text = std::str::from_utf8(bytes).expect("the server answers in UTF-8");
        let (head, body) = text.split_once("\r\n\r\n").expect("an answer has a head");
        let mut lines = head.lines();
        let status = lines.next().and_then(|line| line.split(' ').nth(1)).and_then(|status| status.parse().ok());
        let header = |line: &str| {
            let (name, value) = line.split_once(':').expect("a header has a colon");
            (name.to_ascii_lowercase(), value.trim().to_owned())
        };
        let answer =
            Self { status: status.expect("a status"), headers: lines.map(header).collect(), body: body.to_owned() };
        assert_eq!(answer.header("transfer-encoding"), None, "this browser knows no chunks");
        if let Some(length) = answer.header("content-length").filter(|_| answer.status != 304) {
            assert_eq!(length, body.len().to_string(), "a whole body");
        }
        answer
    }

    /// The values of all headers of this name, which is in lower case.
    pub fn all(&self, name: &str) -> Vec<&str> {
        self.headers.iter().filter(|(known, _)| known == name).map(|(_, value)| value.as_str()).collect()
    }

    /// The value of the first.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.all(name).first().copied()
    }

    /// The page, if it says this.
    #[track_caller]
    pub fn says(&self, words: &str) -> &Self {
        assert!(self.body.contains(words), "{words:?} is not in this answer of {}:\n{}", self.status, self.body);
        self
    }

    /// The page, if it does not say this.
    #[track_caller]
    pub fn does_not_say(&self, words: &str) -> &Self {
        assert!(!self.body.contains(words), "{words:?} is in this answer of {}:\n{}", self.status, self.body);
        self
    }

    /// The page, if it has this status.
    #[track_caller]
    pub fn has_status(&self, status: u16) -> &Self {
        assert_eq!(self.status, status, "{:?}\n{}", self.headers, self.body);
        self
    }

    /// The answer, if it redirects there after a form.
    #[track_caller]
    pub fn leads_to(&self, path: &str) -> &Self {
        assert_eq!((self.status, self.header("location")), (303, Some(path)), "{}", self.body);
        self
    }

    /// How often a page has this.
    pub fn count(&self, what: &str) -> usize {
        self.body.matches(what).count()
    }

    /// Where the first link leads whose address begins like this, in the words of the page.
    pub fn link(&self, begins: &str) -> String {
        let (_, rest) = self
            .body
            .split_once(&format!("href=\"{begins}"))
            .unwrap_or_else(|| panic!("no link to {begins:?} in {}", self.body));
        format!("{begins}{}", rest.split('"').next().unwrap_or_default()).replace("&amp;", "&")
    }

    /// The value of a hidden field.
    pub fn hidden(&self, name: &str) -> &str {
        let field = format!("type=\"hidden\" name=\"{name}\" value=\"");
        let (_, rest) = self.body.split_once(&field).unwrap_or_else(|| panic!("no field {name:?} in {}", self.body));
        rest.split('"').next().unwrap_or_default()
    }
}

fn encode(value: &str) -> String {
    value
        .bytes()
        .map(|byte| if byte.is_ascii_alphanumeric() { char::from(byte).to_string() } else { format!("%{byte:02X}") })
        .collect()
}
