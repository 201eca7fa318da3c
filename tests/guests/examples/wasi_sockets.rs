//! Tries to reach the network in each way there is.

use synix_plugin::{Error, Input, Output};
use synix_test_guests::wasi::wasi::sockets::instance_network::instance_network;
use synix_test_guests::wasi::wasi::sockets::ip_name_lookup::resolve_addresses;
use synix_test_guests::wasi::wasi::sockets::network::IpAddressFamily;
use synix_test_guests::wasi::wasi::sockets::tcp_create_socket::create_tcp_socket;
use synix_test_guests::wasi::wasi::sockets::udp_create_socket::create_udp_socket;

synix_test_guests::guest!("wasi-sockets", run);

fn run(input: &Input) -> Result<Vec<Output>, Error> {
    let tcp = create_tcp_socket(IpAddressFamily::Ipv4).err();
    let udp = create_udp_socket(IpAddressFamily::Ipv6).err();
    let name = resolve_addresses(&instance_network(), "localhost").err();
    let text = format!("{tcp:?} {udp:?} {name:?}");
    Ok(vec![Output::text(&input.header.label, "text", text)])
}
