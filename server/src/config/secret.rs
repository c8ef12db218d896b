//! Where the server's secret is: said, in a file, or in one beside the store that is made when it is not there.

use std::path::PathBuf;

use trolley_store::open::{OpenError, folder_of};

use crate::config::ConfigError;
use crate::config::raw::Raw;
use crate::service::secret::ServerSecret;

/// Its name in a store's folder.
pub const NAME: &str = "secret";

/// Where the secret is.
#[derive(Clone, Debug)]
pub enum SecretSource {
    /// Here.
    Said(ServerSecret),
    /// In this file, which must be there.
    In(PathBuf),
    /// In this file beside the store; made where it is not there.
    Beside(PathBuf),
    /// Nowhere: the store forgets what hangs on it when the process ends.
    Fresh,
}

/// Where the settings say that it is.
pub fn secret(raw: &Raw) -> Result<SecretSource, ConfigError> {
    match (raw.secret(), raw.said("secret-file")) {
        (Some(_), Some(_)) => {
            Err(ConfigError("--secret-file and TROLLEY_SECRET both name the secret: say it once".to_owned()))
        }
        (Some(secret), None) => Ok(SecretSource::Said(secret.clone())),
        (None, Some(file)) => Ok(SecretSource::In(file.into())),
        // A store that is in no folder is this process's own memory: there is no other as yet.
        (None, None) => match folder_of(raw.text("store")) {
            Ok(folder) => Ok(SecretSource::Beside(folder.join(NAME))),
            Err(OpenError::NotInAFolder(_)) => Ok(SecretSource::Fresh),
            Err(error) => Err(ConfigError(format!("--store: {error}"))),
        },
    }
}
