//! The CRC-64 that Blob Storage answers in `x-ms-content-crc64`.
//! It never protects against an attacker: it only finds bytes that changed on the way.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// The polynomial of Azure Storage, reflected; the same as of CRC-64/NVME.
const POLYNOMIAL: u64 = 0x9A6C_9329_AC4B_C9B5;

/// One entry for each byte value.
const TABLE: [u64; 256] = table();

/// The header's value for these bytes: the checksum, little-endian, in base64.
pub(super) fn header_value(bytes: &[u8]) -> String {
    STANDARD.encode(checksum(bytes).to_le_bytes())
}

fn checksum(bytes: &[u8]) -> u64 {
    !bytes.iter().fold(!0_u64, |crc, byte| {
        let index = (crc ^ u64::from(*byte)) & 0xff;
        TABLE[usize::try_from(index).unwrap_or(0)] ^ (crc >> 8)
    })
}

const fn table() -> [u64; 256] {
    let mut table = [0_u64; 256];
    let mut byte = 0;
    while byte < table.len() {
        let mut crc = byte as u64;
        let mut bit = 0;
        while bit < 8 {
            crc = if crc & 1 == 1 { (crc >> 1) ^ POLYNOMIAL } else { crc >> 1 };
            bit += 1;
        }
        table[byte] = crc;
        byte += 1;
    }
    table
}

#[cfg(test)]
mod tests {
    use super::checksum;

    #[test]
    fn the_checksum_matches_the_published_check_value() {
        assert_eq!(checksum(b"123456789"), 0xAE8B_1486_0A79_9888);
        assert_eq!(checksum(b""), 0);
    }
}
