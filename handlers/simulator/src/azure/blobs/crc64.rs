//! The CRC-64 that Blob Storage answers in `x-ms-content-crc64`.
//! It never protects against an attacker: it only finds bytes that changed on the way.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// The polynomial of Azure Storage, reflected; the same as of CRC-64/NVME.
const POLYNOMIAL: u64 = 0x9A6C_9329_AC4B_C9B5;

/// Bytes that are taken in at once: most of what a simulation stores is read by this alone.
const STEP: usize = 8;

/// For each place in a step, one entry for each byte value: what that byte does to the checksum with the bytes after it.
static TABLES: [[u64; 256]; STEP] = tables();

/// The header's value for these bytes: the checksum, little-endian, in base64.
pub(super) fn header_value(bytes: &[u8]) -> String {
    STANDARD.encode(checksum(bytes).to_le_bytes())
}

fn checksum(bytes: &[u8]) -> u64 {
    let (steps, rest) = bytes.as_chunks::<STEP>();
    let crc = steps.iter().fold(!0_u64, |crc, step| {
        let mixed = (crc ^ u64::from_le_bytes(*step)).to_le_bytes();
        mixed.iter().zip(TABLES.iter().rev()).fold(0, |crc, (byte, table)| crc ^ table[usize::from(*byte)])
    });
    !rest.iter().fold(crc, |crc, byte| TABLES[0][usize::from(crc.to_le_bytes()[0] ^ byte)] ^ (crc >> 8))
}

const fn tables() -> [[u64; 256]; STEP] {
    let mut tables = [[0_u64; 256]; STEP];
    let mut byte = 0;
    while byte < 256 {
        let mut crc = byte as u64;
        let mut bit = 0;
        while bit < 8 {
            crc = if crc & 1 == 1 { (crc >> 1) ^ POLYNOMIAL } else { crc >> 1 };
            bit += 1;
        }
        tables[0][byte] = crc;
        byte += 1;
    }
    let mut place = 1;
    while place < STEP {
        let mut byte = 0;
        while byte < 256 {
            let before = tables[place - 1][byte];
            tables[place][byte] = tables[0][(before & 0xff) as usize] ^ (before >> 8);
            byte += 1;
        }
        place += 1;
    }
    tables
}

#[cfg(test)]
mod tests {
    use super::checksum;

    #[test]
    fn the_checksum_matches_the_published_check_value() {
        assert_eq!(checksum(b"123456789"), 0xAE8B_1486_0A79_9888);
        assert_eq!(checksum(b""), 0);
    }

    #[test]
    fn bytes_taken_in_by_steps_sum_up_as_those_taken_in_one_by_one() {
        let bytes: Vec<u8> = (0..=255_u8).map(|byte| byte.wrapping_mul(167)).collect();
        for length in 0..bytes.len() {
            let one_by_one = !bytes[..length].iter().fold(!0_u64, |crc, byte| {
                let crc = crc ^ u64::from(*byte);
                (0..8).fold(crc, |crc, _| if crc & 1 == 1 { (crc >> 1) ^ super::POLYNOMIAL } else { crc >> 1 })
            });
            assert_eq!(checksum(&bytes[..length]), one_by_one, "{length} bytes");
        }
    }
}
