//! The boundary between the transports and JavaScript: events out, commands in, nothing else.

mod callback;
mod commands;
mod datagram;
mod delivery;
mod environment;
mod handles;
mod hot;
mod http_connection;
mod http_parser;
