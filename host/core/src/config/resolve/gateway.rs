//! The gateway's part.

use std::net::SocketAddr;

use url::Url;

use super::super::document::Place;
use super::super::gateway::{Gateway, Resolved};
use super::super::schema;
use super::Resolver;

impl Resolver<'_> {
    pub(super) fn gateway(&mut self, raw: Option<&schema::Gateway>) -> Gateway {
        let Some(gateway) = raw else {
            return Gateway::new(None, Resolved::default());
        };
        let place = Place::default().key("gateway");
        let log = gateway.access_log.as_deref().filter(|path| *path != "-");
        let resolved = Resolved {
            listen: self.listen(&place.key("listen"), gateway.listen.as_deref()),
            keys: self.path(gateway.keys.as_deref()),
            tls: self.tls(&place.key("tls"), gateway.tls.as_ref()),
            access_log: self.path(log),
            traces: self.collector(&place.key("traces"), gateway.traces.as_deref()),
        };
        Gateway::new(raw, resolved)
    }

    fn listen(&mut self, place: &Place, text: Option<&str>) -> Option<SocketAddr> {
        let text = self.filled(place, text)?;
        // Who names the host by name means this machine.
        let text = text.replace("localhost:", "127.0.0.1:");
        match text.parse() {
            Ok(address) => Some(address),
            Err(_) => {
                let message = "is no address to listen at: write one such as \"127.0.0.1:4000\" or \"[::]:4000\"";
                self.fault(place, message);
                None
            }
        }
    }

    fn collector(&mut self, place: &Place, text: Option<&str>) -> Option<Url> {
        let text = self.filled(place, text)?;
        match Url::parse(text) {
            Ok(url) if url.scheme() == "http" && url.has_host() && url.query().is_none() => {
                Some(url)
            }
            _ => {
                let message = "is no address of a collector that is spoken to by plain HTTP: write one such as \
                               \"http://127.0.0.1:4318\", and have that collector send them on";
                self.fault(place, message);
                None
            }
        }
    }

    fn tls(
        &mut self,
        place: &Place,
        raw: Option<&schema::GatewayTls>,
    ) -> Option<(std::path::PathBuf, std::path::PathBuf)> {
        let raw = raw?;
        let Some(cert) = self.file(&place.key("cert"), raw.cert.as_deref()) else {
            self.fault(
                place,
                "names no certificate: add the PEM file of one as cert",
            );
            return None;
        };
        let key = self.file(&place.key("key"), raw.key.as_deref());
        Some((cert.clone(), key.unwrap_or(cert)))
    }
}
