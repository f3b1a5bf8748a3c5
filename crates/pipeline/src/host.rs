//! The machine's name.

/// The name of this machine, as its neighbours know it; empty where the system does not tell.
pub fn host() -> String {
    let mut name = [0_u8; 256];
    // SAFETY: the buffer is valid for writes of as many bytes as its length says.
    let failed = unsafe { libc::gethostname(name.as_mut_ptr().cast(), name.len()) } != 0;
    if failed {
        return String::new();
    }
    let end = name.iter().position(|&byte| byte == 0).unwrap_or(name.len());
    String::from_utf8_lossy(&name[..end]).into_owned()
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_machine_has_a_name() {
        let name = super::host();
        assert!(!name.is_empty() && !name.contains('\0'), "{name:?}");
    }
}
