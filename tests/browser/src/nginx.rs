//! nginx as a shared cache in front of a server.

use std::fmt::Write as _;
use std::fs;
use std::net::{SocketAddr, TcpStream};
use tempfile::TempDir;
use testbed::{Process, free_port, wait_until};

/// A caching proxy that keeps whatever it may.
#[derive(Debug)]
pub struct Nginx {
    _process: Process,
    _folder: TempDir,
    addr: SocketAddr,
}

impl Nginx {
    /// Starts one in front of `upstream`. Each of its responses says in `X-Cache` whether it came from the cache.
    pub fn start(upstream: SocketAddr) -> Self {
        let folder = tempfile::Builder::new().prefix("nginx-").tempdir().expect("a temporary folder");
        let root = folder.path().display();
        let port = free_port();
        let mut paths = String::new();
        for kind in ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"] {
            let _ = writeln!(paths, "{kind}_temp_path {root}/{kind};");
        }
        let config = format!(
            "daemon off;
            master_process off;
            pid {root}/pid;
            error_log stderr;
            events {{ worker_connections 64; }}
            http {{
                access_log off;
                {paths}
                proxy_cache_path {root}/cache keys_zone=pages:1m;
                server {{
                    listen 127.0.0.1:{port};
                    location / {{
                        proxy_pass http://{upstream};
                        proxy_set_header Host $http_host;
                        proxy_cache pages;
                        add_header X-Cache $upstream_cache_status always;
                    }}
                }}
            }}"
        );
        let path = folder.path().join("nginx.conf");
        fs::write(&path, config).expect("a file can be written");
        let log = fs::File::create(folder.path().join("log")).expect("a file can be created");
        let args = ["-p", &root.to_string(), "-c", &path.display().to_string()].map(str::to_owned);
        let process = Process::spawn("nginx", &args, log);
        let addr = ([127, 0, 0, 1], port).into();
        wait_until("nginx to serve", || TcpStream::connect(addr).is_ok());
        Self { _process: process, _folder: folder, addr }
    }

    /// Where it serves.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }
}
