//! Which texts are URLs that may be asked from outside: `http` or `https`, a public host, nothing secret.
//! It never resolves a name: that a public name leads to a private address is for whoever asks it to refuse.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::fault::NoUrl;

/// The longest name that the directory of names takes, and the longest label in it, in characters.
const HOST_CHARS_MAX: usize = 253;
const LABEL_CHARS_MAX: usize = 63;
/// Where every machine in Azure reaches the platform itself; its address looks public and is not.
const AZURE_PLATFORM: Ipv4Addr = Ipv4Addr::new(168, 63, 129, 16);
/// Names that are never public, alone or at the end.
const LOCAL_NAMES: [&str; 4] = ["localhost", "local", "internal", "home.arpa"];

/// Refuses what is no such URL.
pub fn check(text: &str) -> Result<(), NoUrl> {
    let rest = ["https://", "http://"].iter().find_map(|scheme| text.strip_prefix(scheme)).ok_or(NoUrl::Scheme)?;
    if text.chars().any(|c| !c.is_ascii_graphic() || matches!(c, '"' | '<' | '>' | '\\' | '^' | '`' | '{' | '|' | '}'))
    {
        return Err(NoUrl::Sign);
    }
    if text.contains('#') {
        return Err(NoUrl::Fragment);
    }
    let authority = rest.split(['/', '?']).next().unwrap_or_default();
    if authority.contains('@') {
        return Err(NoUrl::Credentials);
    }
    let (host, port) = match authority.rsplit_once(':') {
        // The colons of an address in brackets are its own.
        Some((host, port)) if !port.ends_with(']') => (host, Some(port)),
        _ => (authority, None),
    };
    let is_port = |port: &str| port.bytes().all(|b| b.is_ascii_digit()) && port.parse::<u16>().is_ok_and(|n| n > 0);
    if !port.is_none_or(is_port) {
        return Err(NoUrl::Port);
    }
    match host.strip_prefix('[') {
        Some(bracketed) => {
            let inner = bracketed.strip_suffix(']').ok_or(NoUrl::Host)?;
            public(IpAddr::V6(inner.parse().map_err(|_| NoUrl::Host)?))
        }
        None => name(host),
    }
}

/// A host without brackets: a name, or an address of four numbers.
fn name(host: &str) -> Result<(), NoUrl> {
    let host = host.strip_suffix('.').unwrap_or(host);
    let letters = |label: &str| label.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'));
    let is_label = |label: &str| (1..=LABEL_CHARS_MAX).contains(&label.len()) && letters(label);
    let well_formed = |label: &str| is_label(label) && !label.starts_with('-') && !label.ends_with('-');
    if host.len() > HOST_CHARS_MAX || !host.split('.').all(well_formed) {
        return Err(NoUrl::Host);
    }
    // Whoever resolves a name that ends in a number takes it for an address, in spellings that only look like another: 0x7f.1.
    let last = host.rsplit('.').next().unwrap_or_default();
    let hexadecimal = last.strip_prefix("0x").or_else(|| last.strip_prefix("0X"));
    let is_number = last.bytes().all(|b| b.is_ascii_digit())
        || hexadecimal.is_some_and(|digits| digits.bytes().all(|b| b.is_ascii_hexdigit()));
    if is_number {
        return public(IpAddr::V4(host.parse().map_err(|_| NoUrl::Host)?));
    }
    let host = host.to_ascii_lowercase();
    let under = |local: &str| host == local || host.strip_suffix(local).is_some_and(|rest| rest.ends_with('.'));
    // A name of one label is nobody's on the internet.
    if !host.contains('.') || LOCAL_NAMES.iter().any(|local| under(local)) {
        return Err(NoUrl::NotPublic);
    }
    Ok(())
}

fn public(address: IpAddr) -> Result<(), NoUrl> {
    let inside = match address {
        IpAddr::V4(address) => inside(address),
        // An address of the older kind in the newer spelling is what it is in the older.
        IpAddr::V6(address) => match address.to_ipv4_mapped() {
            Some(older) => inside(older),
            None => inside_v6(address),
        },
    };
    if inside { Err(NoUrl::NotPublic) } else { Ok(()) }
}

fn inside(address: Ipv4Addr) -> bool {
    let [first, second, third, _] = address.octets();
    address.is_private()
        || address.is_loopback()
        || address.is_link_local()
        || address.is_broadcast()
        || address.is_multicast()
        || address == AZURE_PLATFORM
        || first == 0
        // Shared by carriers, measurements, and all that is reserved.
        || (first == 100 && (64..128).contains(&second))
        || (first == 198 && (18..20).contains(&second))
        || (first == 192 && second == 0 && third == 0)
        || first >= 240
}

fn inside_v6(address: Ipv6Addr) -> bool {
    let [first, ..] = address.segments();
    // Only this eighth of all addresses was ever given out for the internet.
    let global = first & 0xe000 == 0x2000;
    // Those that carry an address of the older kind within them would be a way around its bounds.
    let carries_older = first == 0x2002 || (first == 0x2001 && address.segments()[1] == 0);
    !global || carries_older
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_that_is_asked_from_outside_is_taken() {
        for text in [
            "https://shop.example/healthz",
            "http://shop.example",
            "https://shop.example:8443/a?b=c&d=%20",
            "https://SHOP.example./",
            "https://shop.example?b",
            "https://8.8.8.8/",
            "https://[2606:4700::1]:443/x",
            "https://a_b.example/~x/(y)",
            "https://xn--bcher-kva.example/",
            "https://0x7f.example/",
            "https://shop.example/a@b",
        ] {
            assert_eq!(check(text), Ok(()), "{text}");
        }
    }

    #[test]
    fn what_is_no_such_url_is_refused_and_says_why() {
        use NoUrl::{Credentials, Fragment, Host, NotPublic, Port, Scheme, Sign};
        for (text, why) in [
            ("", Scheme),
            ("shop.example", Scheme),
            ("ftp://shop.example", Scheme),
            ("HTTPS:/shop.example", Scheme),
            ("file:///etc/passwd", Scheme),
            ("https://shop.example/a b", Sign),
            ("https://shop.example/\n", Sign),
            ("https://grün.example/", Sign),
            ("https://{ip}/healthz", Sign),
            ("https://shop.example\\@evil.example/", Sign),
            ("https://shop.example/#part", Fragment),
            ("https://user:secret@shop.example/", Credentials),
            ("https://user@shop.example/", Credentials),
            ("https://shop.example:0/", Port),
            ("https://shop.example:65536/", Port),
            ("https://shop.example:/", Port),
            ("https://shop.example:+80/", Port),
            ("https://", Host),
            ("https:///healthz", Host),
            ("https://shop..example/", Host),
            ("https://-shop.example/", Host),
            ("https://2130706433/", Host),
            ("https://0x7f.1/", Host),
            ("https://127.1/", Host),
            ("https://010.8.8.8/", Host),
            ("https://8.8.8.0x8/", Host),
            ("https://[::1", Host),
            ("https://[shop.example]/", Host),
            ("https://[fe80::1%25eth0]/", Host),
            ("https://shop/", NotPublic),
            ("https://localhost/", NotPublic),
            ("https://shop.localhost/", NotPublic),
            ("https://vm-1.internal/", NotPublic),
            ("https://LOCALHOST./", NotPublic),
            ("https://127.0.0.1/", NotPublic),
            ("https://10.1.2.3:8080/", NotPublic),
            ("https://172.16.0.1/", NotPublic),
            ("https://192.168.1.1/", NotPublic),
            ("http://169.254.169.254/metadata/identity", NotPublic),
            ("http://168.63.129.16/", NotPublic),
            ("https://100.64.0.1/", NotPublic),
            ("https://0.0.0.0/", NotPublic),
            ("https://224.0.0.1/", NotPublic),
            ("https://255.255.255.255/", NotPublic),
            ("https://[::1]/", NotPublic),
            ("https://[fd00::1]/", NotPublic),
            ("https://[fe80::1]/", NotPublic),
            ("https://[::ffff:10.0.0.1]/", NotPublic),
            ("https://[::ffff:a00:1]/", NotPublic),
            ("https://[64:ff9b::a00:1]/", NotPublic),
            ("https://[2002:a00:1::1]/", NotPublic),
        ] {
            assert_eq!(check(text), Err(why), "{text}");
        }
    }
}
