//! Which texts are URLs that may be asked: `http`, `https` or `tcp`, a host that is somebody's, nothing secret; and whether that is inside.
//! It never resolves a name: what a public name leads to is for whoever asks it to refuse.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::fault::NoUrl;

/// The longest name that the directory of names takes, and the longest label in it, in characters.
const HOST_CHARS_MAX: usize = 253;
const LABEL_CHARS_MAX: usize = 63;
/// Where every machine in Azure reaches the platform itself; its address looks public and is not.
const AZURE_PLATFORM: Ipv4Addr = Ipv4Addr::new(168, 63, 129, 16);
/// Names that are only known inside, alone or at the end.
const LOCAL_NAMES: [&str; 4] = ["localhost", "local", "internal", "home.arpa"];

/// What a connection is written with: whoever listens serves.
const TCP: &str = "tcp://";

/// Whether a connection alone is asked for, and no answer.
pub fn is_tcp(text: &str) -> bool {
    text.starts_with(TCP)
}

/// From where a host is reached, by its text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reached {
    /// From everywhere.
    Outside,
    /// From inside a network or a machine; whoever asks does so only where it is set to.
    Inside,
}

/// Refuses what is no such URL.
pub fn check(text: &str) -> Result<Reached, NoUrl> {
    let schemes = ["https://", "http://", TCP];
    let rest = schemes.iter().find_map(|scheme| text.strip_prefix(scheme)).ok_or(NoUrl::Scheme)?;
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
    if !port.is_none_or(is_port) || port.is_none() && is_tcp(text) {
        return Err(NoUrl::Port);
    }
    if is_tcp(text) && authority != rest {
        return Err(NoUrl::TcpMore);
    }
    match host.strip_prefix('[') {
        Some(bracketed) => {
            let inner = bracketed.strip_suffix(']').ok_or(NoUrl::Host)?;
            reached(IpAddr::V6(inner.parse().map_err(|_| NoUrl::Host)?))
        }
        None => name(host),
    }
}

/// A host without brackets: a name, or an address of four numbers.
fn name(host: &str) -> Result<Reached, NoUrl> {
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
        return reached(IpAddr::V4(host.parse().map_err(|_| NoUrl::Host)?));
    }
    let host = host.to_ascii_lowercase();
    let under = |local: &str| host == local || host.strip_suffix(local).is_some_and(|rest| rest.ends_with('.'));
    // A name of one label is nobody's on the internet.
    let is_inside = !host.contains('.') || LOCAL_NAMES.iter().any(|local| under(local));
    Ok(if is_inside { Reached::Inside } else { Reached::Outside })
}

/// From where an address is reached; none for one that is nobody's, which is never asked: what a name resolves to is judged so.
pub fn address_reached(address: IpAddr) -> Option<Reached> {
    reached(address).ok()
}

fn reached(address: IpAddr) -> Result<Reached, NoUrl> {
    match address {
        IpAddr::V4(address) => reached_v4(address),
        // An address of the older kind in the newer spelling is what it is in the older.
        IpAddr::V6(address) => address.to_ipv4_mapped().map_or_else(|| reached_v6(address), reached_v4),
    }
}

fn reached_v4(address: Ipv4Addr) -> Result<Reached, NoUrl> {
    let [first, second, third, _] = address.octets();
    // Azure's own answer on the link, with tokens; what has no host; and all that is reserved.
    let nobodys = address.is_link_local()
        || address == AZURE_PLATFORM
        || address.is_multicast()
        || first == 0
        || first >= 240
        || (first == 192 && second == 0 && third == 0);
    let inside = address.is_private()
        || address.is_loopback()
        // Shared by carriers, and for measurements.
        || (first == 100 && (64..128).contains(&second))
        || (first == 198 && (18..20).contains(&second));
    match (nobodys, inside) {
        (true, _) => Err(NoUrl::Nobodys),
        (false, true) => Ok(Reached::Inside),
        (false, false) => Ok(Reached::Outside),
    }
}

fn reached_v6(address: Ipv6Addr) -> Result<Reached, NoUrl> {
    let [first, second, ..] = address.segments();
    if address.is_loopback() || first & 0xfe00 == 0xfc00 {
        return Ok(Reached::Inside);
    }
    // Only this eighth of all addresses was ever given out. Those in it that carry one of the older kind would be a way around its
    // bounds.
    let carries_older = first == 0x2002 || (first == 0x2001 && second == 0);
    if first & 0xe000 != 0x2000 || carries_older { Err(NoUrl::Nobodys) } else { Ok(Reached::Outside) }
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
            "tcp://db.shop.example:1433",
            "tcp://[2606:4700::1]:5432",
        ] {
            assert_eq!(check(text), Ok(Reached::Outside), "{text}");
        }
    }

    #[test]
    fn a_url_that_is_asked_inside_is_told_from_others_in_every_spelling() {
        for text in [
            "https://shop/",
            "https://localhost/",
            "https://shop.localhost/",
            "https://vm-1.internal/",
            "https://LOCALHOST./",
            "https://127.0.0.1/",
            "https://10.1.2.3:8080/",
            "https://172.16.0.1/",
            "https://192.168.1.1/",
            "https://100.64.0.1/",
            "https://[::1]/",
            "https://[fd00::1]/",
            "https://[::ffff:10.0.0.1]/",
            "https://[::ffff:a00:1]/",
        ] {
            assert_eq!(check(text), Ok(Reached::Inside), "{text}");
        }
        assert_eq!(check("https://172.32.0.1/"), Ok(Reached::Outside));
    }

    #[test]
    fn what_a_name_resolves_to_is_judged_as_the_same_address_in_a_url() {
        for text in ["8.8.8.8", "2606:4700::1"] {
            assert_eq!(address_reached(text.parse().unwrap()), Some(Reached::Outside), "{text}");
        }
        for text in ["10.0.0.1", "127.0.0.1", "::1", "fd00::1", "::ffff:10.0.0.1"] {
            assert_eq!(address_reached(text.parse().unwrap()), Some(Reached::Inside), "{text}");
        }
        for text in ["169.254.169.254", "168.63.129.16", "fe80::1", "::ffff:169.254.169.254", "0.0.0.0"] {
            assert_eq!(address_reached(text.parse().unwrap()), None, "{text}");
        }
    }

    #[test]
    fn what_is_no_such_url_is_refused_and_says_why() {
        use NoUrl::{Credentials, Fragment, Host, Nobodys, Port, Scheme, Sign, TcpMore};
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
            ("tcp://db.shop.example", Port),
            ("tcp://[2606:4700::1]", Port),
            ("tcp://db.shop.example:1433/", TcpMore),
            ("tcp://db.shop.example:1433?a=b", TcpMore),
            ("tcp://169.254.169.254:80", Nobodys),
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
            ("http://169.254.169.254/metadata/identity", Nobodys),
            ("http://168.63.129.16/", Nobodys),
            ("https://0.0.0.0/", Nobodys),
            ("https://224.0.0.1/", Nobodys),
            ("https://255.255.255.255/", Nobodys),
            ("https://[::]/", Nobodys),
            ("https://[fe80::1]/", Nobodys),
            ("https://[::ffff:169.254.169.254]/", Nobodys),
            ("https://[::ffff:a9fe:a9fe]/", Nobodys),
            ("https://[64:ff9b::a9fe:a9fe]/", Nobodys),
            ("https://[2002:a9fe:a9fe::1]/", Nobodys),
            ("https://[ff02::1]/", Nobodys),
        ] {
            assert_eq!(check(text), Err(why), "{text}");
        }
    }
}
