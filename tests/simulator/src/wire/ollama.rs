//! placeholder until its own commit
use crate::{hub::Hub, reply::Reply, server::http1::Request};
pub(crate) fn answer(_: &Request, _: &Hub) -> Reply {
    Reply::simulator_error("ollama")
}
