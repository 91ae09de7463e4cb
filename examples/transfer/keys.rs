//! The two secrets of the keyring, in a file beside the data: so that a restart signs nobody out.
//!
//! That is for a demonstration. Whoever copies the folder has the data and what opens it. In production the secrets come from
//! where other credentials do, such as a secret manager or the environment of the process, as `SESSION_LASTING_SECRET` and
//! `SESSION_SECRET` in the shop; and they are in no backup of the data.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use std::error::Error;
use std::fs::{self, OpenOptions};
use std::io::{self, ErrorKind, Write as _};
use std::path::Path;
use thin_session::{Keyring, Secret};

/// The keyring whose secrets are in the file; they are made up where there is none.
pub(crate) fn kept_in(file: &Path) -> Result<Keyring, Box<dyn Error>> {
    let text = match fs::read_to_string(file) {
        Err(error) if error.kind() == ErrorKind::NotFound => {
            make(file)?;
            fs::read_to_string(file)
        }
        read => read,
    };
    let text = text.map_err(|error| format!("{}: {error}", file.display()))?;
    let [lasting, current] = text.lines().collect::<Vec<_>>()[..] else {
        return Err(format!("{} is not a file of two secrets", file.display()).into());
    };
    Ok(Keyring::new(Secret::from_base64(lasting)?, Secret::from_base64(current)?)?)
}

/// Writes the file whole, or leaves the one that another process was quicker with.
fn make(file: &Path) -> io::Result<()> {
    let mut draft = file.as_os_str().to_owned();
    draft.push(format!(".{}", std::process::id()));
    let _ = fs::remove_file(&draft); // of a process that crashed
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut open = options.open(&draft)?;
    for _ in 0..2 {
        writeln!(open, "{}", STANDARD.encode(rand::random::<[u8; 32]>()))?;
    }
    open.sync_all()?;
    let placed = fs::hard_link(&draft, file);
    fs::remove_file(&draft)?;
    match placed {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
        placed => placed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_made_once_and_for_nobody_else_to_read() {
        let folder = std::env::temp_dir().join(format!("transfer-keys-{}", std::process::id()));
        fs::create_dir_all(&folder).expect("a folder");
        let file = folder.join("transfer.keys");
        kept_in(&file).expect("they are made");
        let first = fs::read(&file).expect("they are there");
        kept_in(&file).expect("they are read");
        make(&file).expect("another process was quicker");
        assert_eq!(fs::read(&file).expect("they are there"), first);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            assert_eq!(fs::metadata(&file).expect("it is there").permissions().mode() & 0o777, 0o600);
        }
        assert_eq!(fs::read_dir(&folder).expect("it is there").count(), 1, "no draft is left");
        fs::write(&file, "not a secret\n").expect("it can be written");
        assert!(kept_in(&file).is_err());
        fs::remove_dir_all(&folder).expect("it can be removed");
    }
}
