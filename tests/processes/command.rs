//! The command's tour as a person starts it: it holds, and with each planted fault it does not.
//! It never looks at what the tour says, but for the report of a failure: the exit code is the word.

use std::process::{Command, Stdio};

use crate::executables;

#[test]
fn the_tour_ends_with_0_and_with_each_planted_fault_with_something_else() {
    executables::handler();
    let lifeboat = executables::build("lifeboat", &[]);
    for (fault, holds) in [
        (None, true),
        (Some("lost-sweep"), false),
        (Some("no-save"), false),
        (Some("double-point"), false),
        (Some("lost-point"), false),
        (Some("foreign-gone"), false),
        (Some("one-source"), false),
        (Some("fence-lies"), false),
        (Some("traffic-lies"), false),
    ] {
        let mut command = Command::new(&lifeboat);
        command.args(["local", "--exit"]).stdin(Stdio::null());
        if let Some(fault) = fault {
            command.args(["--break", fault]);
        }
        let run = command.output().expect("the command starts");
        let said = format!("{}\n{}", String::from_utf8_lossy(&run.stdout), String::from_utf8_lossy(&run.stderr));
        assert_eq!(run.status.success(), holds, "{fault:?}: {}\n{said}", run.status);
        // 1 is a tour that did not hold; 2 would be a command that was not understood.
        assert!(holds || run.status.code() == Some(1), "{fault:?}: {}\n{said}", run.status);
    }
}
