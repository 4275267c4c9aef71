//! The program; everything is in the library.

fn main() -> std::process::ExitCode {
    rosterd::cli::main()
}
