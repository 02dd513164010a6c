//! Programs that try to get out. Each test says what it tried, that it failed, and how that looks.

mod common;

use std::fs;
use std::io::Read;
use std::net::{TcpListener, UdpSocket};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixListener};
use std::path::Path;
use std::time::Duration;

use common::{Case, marker};
use zeroerr_sandbox::Exit;

/// A Python prelude: `attempt(name, call)` prints how the call ended.
const ATTEMPT: &str = "
import ctypes, errno, os, signal, socket, sys
libc = ctypes.CDLL(None, use_errno=True)
def attempt(name, call):
    try:
        got = call()
    except OSError as error:
        print(name, errno.errorcode.get(error.errno, error.errno))
    else:
        print(name, 'GOT', got)
def sys_call(number, *args):
    ctypes.set_errno(0)
    result = libc.syscall(number, *args)
    if result == -1:
        raise OSError(ctypes.get_errno(), 'failed')
    return result
";

fn attempts(script: &str) -> Case {
    Case::python(&format!("{ATTEMPT}{script}"))
}

#[test]
fn no_socket_reaches_the_network_or_this_machine() {
    let tcp = TcpListener::bind("127.0.0.1:0").unwrap();
    let udp = UdpSocket::bind("127.0.0.1:0").unwrap();
    tcp.set_nonblocking(true).unwrap();
    udp.set_nonblocking(true).unwrap();
    let script = "
tcp, udp = int(sys.argv[1]), int(sys.argv[2])
attempt('tcp here', lambda: socket.create_connection(('127.0.0.1', tcp), 2))
attempt('tcp out', lambda: socket.create_connection(('198.51.100.1', 80), 2))
attempt('udp', lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'x', ('127.0.0.1', udp)))
attempt('ipv6', lambda: socket.socket(socket.AF_INET6))
attempt('raw', lambda: socket.socket(socket.AF_PACKET, socket.SOCK_RAW))
attempt('netlink', lambda: socket.socket(socket.AF_NETLINK, socket.SOCK_RAW))
attempt('vsock', lambda: socket.socket(socket.AF_VSOCK))
attempt('inet pair', lambda: socket.socketpair(socket.AF_INET, socket.SOCK_STREAM))
print('interfaces', [line.split(':')[0].strip() for line in open('/proc/net/dev') if ':' in line])
";
    let ran = attempts(script)
        .arg(tcp.local_addr().unwrap().port().to_string())
        .arg(udp.local_addr().unwrap().port().to_string())
        .run();
    // Python makes an AF_INET pair out of two connected sockets; it fails at the first.
    ran.prints(
        "tcp here EPERM\ntcp out EPERM\nudp EPERM\nipv6 EPERM\nraw EPERM\nnetlink EPERM\nvsock EPERM\n\
         inet pair EPERM\ninterfaces ['lo']\n",
    );
    assert_eq!(tcp.accept().unwrap_err().kind(), std::io::ErrorKind::WouldBlock);
    assert_eq!(udp.recv(&mut [0; 8]).unwrap_err().kind(), std::io::ErrorKind::WouldBlock);
}

#[test]
fn no_unix_socket_of_the_host_can_be_reached() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("service");
    let by_path = UnixListener::bind(&path).unwrap();
    fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o777)).unwrap();
    let name = marker("abstract");
    let by_name = UnixListener::bind_addr(&SocketAddr::from_abstract_name(&name).unwrap()).unwrap();
    by_path.set_nonblocking(true).unwrap();
    by_name.set_nonblocking(true).unwrap();
    let script = "
attempt('seen', lambda: os.path.exists(sys.argv[1]))
attempt('path', lambda: socket.socket(socket.AF_UNIX).connect(sys.argv[1]))
attempt('abstract', lambda: socket.socket(socket.AF_UNIX).connect('\\0' + sys.argv[2]))
a, b = socket.socketpair()
attempt('pair', lambda: a.connect(sys.argv[1]))
";
    let ran = attempts(script).arg(&path).arg(&name).readable(folder.path()).run();
    ran.prints("seen GOT True\npath EPERM\nabstract EPERM\npair EPERM\n");
    for listener in [by_path, by_name] {
        assert_eq!(listener.accept().unwrap_err().kind(), std::io::ErrorKind::WouldBlock);
    }
}

#[test]
fn secrets_of_the_home_folder_and_the_system_are_not_there() {
    let home = tempfile::tempdir().unwrap();
    fs::create_dir(home.path().join(".ssh")).unwrap();
    let key = home.path().join(".ssh/id_ed25519");
    fs::write(&key, "SECRET-KEY").unwrap();
    let real_home = std::env::home_dir().unwrap();
    let script = "
attempt('key', lambda: open(sys.argv[1]).read())
attempt('shadow', lambda: open('/etc/shadow').read())
attempt('hosts', lambda: open('/etc/hosts').read())
attempt('home', lambda: os.listdir(os.path.join(sys.argv[2], '.ssh')))
attempt('temp', lambda: os.listdir(os.path.dirname(os.path.dirname(sys.argv[1]))))
attempt('sys', lambda: os.listdir('/sys'))
attempt('disk', lambda: os.open('/dev/vda', os.O_RDONLY))
attempt('kmem', lambda: open('/proc/kcore', 'rb').read(1))
attempt('passwd', lambda: open('/etc/passwd').read().count('\\n'))
";
    let ran = attempts(script).arg(&key).arg(&real_home).run();
    let said = ran.stdout();
    assert_eq!(ran.exit(), Exit::Code(0), "{}", ran.stderr());
    for line in said.lines() {
        let ended = line.split(' ').nth(1).unwrap();
        assert!(line == "passwd GOT 1" || ["ENOENT", "EACCES", "EPERM"].contains(&ended), "{said}");
    }
    assert!(!said.contains("SECRET"), "{said}");
}

#[test]
fn a_file_that_is_only_for_the_owner_stays_closed_in_a_readable_folder() {
    // Only where we are root is the job somebody else; as a user it is the user.
    if !nix::unistd::geteuid().is_root() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let secret = folder.path().join("secret");
    fs::write(&secret, "SECRET").unwrap();
    fs::set_permissions(&secret, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    let script = "attempt('read', lambda: open(sys.argv[1]).read()); attempt('root', lambda: os.setuid(0))";
    attempts(script).arg(&secret).readable(folder.path()).run().prints("read EACCES\nroot EPERM\n");
}

#[test]
fn neither_our_environment_nor_our_processes_are_seen() {
    // SAFETY is not at stake: the variable is set in a child, by running this test again.
    let name = "ZEROERR_TEST_SECRET";
    if std::env::var_os(name).is_none() {
        let own = std::env::current_exe().unwrap();
        let status = std::process::Command::new(own)
            .args(["--exact", "neither_our_environment_nor_our_processes_are_seen", "--nocapture"])
            .env(name, "SECRET-VALUE")
            .status()
            .unwrap();
        assert!(status.success());
        return;
    }
    let script = "
print('own', sorted(os.environ))
pids = sorted(int(name) for name in os.listdir('/proc') if name.isdigit())
print('pids', len(pids))
for pid in pids:
    if pid != os.getpid():
        attempt('environ', lambda: open(f'/proc/{pid}/environ', 'rb').read())
        attempt('mem', lambda: os.open(f'/proc/{pid}/mem', os.O_RDWR))
        attempt('fds', lambda: os.listdir(f'/proc/{pid}/fd'))
        attempt('root', lambda: os.listdir(f'/proc/{pid}/root'))
        attempt('cwd', lambda: os.readlink(f'/proc/{pid}/cwd'))
print('parent', os.getppid(), open('/proc/1/comm').read().strip())
";
    let ran = attempts(script).run();
    assert!(!ran.stdout().contains("SECRET-VALUE"), "{}", ran.stdout());
    expect_test::expect![[r#"
        own ['HOME', 'LANG', 'LC_CTYPE', 'PATH', 'TMPDIR']
        pids 2
        environ EACCES
        mem EACCES
        fds EACCES
        root EACCES
        cwd EACCES
        parent 1 zeroerr-jail
    "#]]
    .assert_eq(
        &ran.stdout().replace("['HOME', 'LANG', 'PATH', 'TMPDIR']", "['HOME', 'LANG', 'LC_CTYPE', 'PATH', 'TMPDIR']"),
    );
}

#[test]
fn nothing_outside_scratch_can_be_written() {
    let workspace = tempfile::tempdir().unwrap();
    fs::set_permissions(workspace.path(), std::os::unix::fs::PermissionsExt::from_mode(0o777)).unwrap();
    let file = workspace.path().join("main.py");
    fs::write(&file, "original").unwrap();
    fs::set_permissions(&file, std::os::unix::fs::PermissionsExt::from_mode(0o666)).unwrap();
    let scratch = workspace.path().join("scratch");
    fs::create_dir(&scratch).unwrap();
    let script = "
target, folder = sys.argv[1], os.path.dirname(sys.argv[1])
attempt('write', lambda: open(target, 'w'))
attempt('append', lambda: open(target, 'a'))
attempt('unlink', lambda: os.unlink(target))
attempt('rename', lambda: os.rename(target, 'mine'))
attempt('create', lambda: open(folder + '/new', 'w'))
attempt('hard link', lambda: os.link(target, 'mine'))
attempt('chmod', lambda: os.chmod(target, 0o777))
attempt('times', lambda: os.utime(target))
os.symlink(target, 'link')
attempt('through link', lambda: open('link', 'w'))
os.symlink(folder, 'folder')
attempt('through folder', lambda: open('folder/new', 'w'))
attempt('dots', lambda: open('../new', 'w'))
attempt('own fd', lambda: open('/proc/self/cwd/../new', 'w'))
attempt('replace scratch', lambda: os.rename(folder + '/scratch', folder + '/other'))
for place in ['/', '/usr', '/usr/bin', '/etc', '/dev', '/proc', '/run', '/var', '/root', '/home']:
    attempt(place, lambda: open(place + '/new', 'w'))
attempt('helper', lambda: open('/run/zeroerr-jail', 'r+'))
attempt('core', lambda: open('/proc/sys/kernel/core_pattern', 'w'))
attempt('sysrq', lambda: open('/proc/sysrq-trigger', 'w'))
";
    let mut case = attempts(script).arg(&file).readable(workspace.path());
    case.job.scratch = scratch.clone();
    let ran = case.run();
    assert_eq!(ran.exit(), Exit::Code(0), "{}", ran.stderr());
    assert!(!ran.stdout().contains("GOT"), "{}", ran.stdout());
    assert_eq!(ran.stdout().lines().count(), 26, "{}", ran.stdout());
    assert_eq!(fs::read_to_string(&file).unwrap(), "original");
    let mut names: Vec<_> = fs::read_dir(workspace.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    names.sort();
    assert_eq!(names, ["main.py", "scratch"]);
}

#[test]
fn a_link_left_in_scratch_does_not_lead_our_own_hands_outside() {
    let outside = tempfile::tempdir().unwrap();
    let victim = outside.path().join("victim");
    fs::write(&victim, "x").unwrap();
    let before = fs::metadata(&victim).unwrap();
    let script = "os.symlink(sys.argv[1], 'link'); os.symlink(os.path.dirname(sys.argv[1]), 'folder')";
    attempts(script).arg(&victim).run().prints("");
    use std::os::unix::fs::MetadataExt;
    let after = fs::metadata(&victim).unwrap();
    assert_eq!((before.uid(), before.gid(), before.mode()), (after.uid(), after.gid(), after.mode()));
}

#[test]
fn a_file_with_a_second_name_outside_keeps_its_owner() {
    use std::os::unix::fs::MetadataExt;
    let outside = tempfile::tempdir_in(std::env::temp_dir()).unwrap();
    let file = outside.path().join("shared");
    fs::write(&file, "x").unwrap();
    let case = Case::sh("sleep 0.3");
    fs::hard_link(&file, case.job.scratch.join("name")).unwrap();
    let uid = fs::metadata(&file).unwrap().uid();
    let watched = file.clone();
    let seen = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(200));
        fs::metadata(&watched).unwrap().uid()
    });
    case.run().prints("");
    assert_eq!(seen.join().unwrap(), uid);
}

#[test]
fn system_calls_that_escapes_are_made_of_are_refused() {
    let script = "
import platform
X86 = platform.machine() == 'x86_64'
CLONE_NEWUSER, CLONE_NEWNS = 0x10000000, 0x20000
def c(name, *args):
    ctypes.set_errno(0)
    result = getattr(libc, name)(*args)
    if result == -1:
        raise OSError(ctypes.get_errno(), name)
    return result
attempt('unshare user', lambda: c('unshare', CLONE_NEWUSER))
attempt('unshare mounts', lambda: c('unshare', CLONE_NEWNS))
attempt('setns', lambda: c('setns', os.open('/proc/self/ns/net', os.O_RDONLY), 0))
attempt('mount', lambda: c('mount', b'none', b'/tmp', b'tmpfs', 0, None))
attempt('umount', lambda: c('umount2', b'/usr', 2))
attempt('chroot', lambda: c('chroot', b'/tmp'))
attempt('ptrace parent', lambda: c('ptrace', 16, os.getppid(), None, None))
attempt('traceme', lambda: c('ptrace', 0, 0, None, None))
attempt('process_vm_readv', lambda: c('process_vm_readv', 1, None, 0, None, 0, 0))
attempt('keyctl', lambda: sys_call(250 if X86 else 219, 0, -3, 0))
attempt('bpf', lambda: sys_call(321 if X86 else 280, 0, 0, 0))
attempt('perf', lambda: sys_call(298 if X86 else 241, 0, 0, -1, -1, 0))
attempt('userfaultfd', lambda: sys_call(323 if X86 else 282, 0))
attempt('io_uring', lambda: sys_call(425, 8, 0))
attempt('clone user', lambda: sys_call(56 if X86 else 220, CLONE_NEWUSER | 17, 0, 0, 0, 0))
attempt('clone3', lambda: sys_call(435, ctypes.create_string_buffer(88), 88))
attempt('x32 socket', lambda: sys_call(0x40000029, 2, 1, 0) if X86 else sys_call(198, 2, 1, 0))
attempt('reboot', lambda: sys_call(169 if X86 else 142, 0xfee1dead, 672274793, 0x1234567, 0))
attempt('tiocsti', lambda: __import__('fcntl').ioctl(0, 0x5412, b'x'))
attempt('device', lambda: os.mknod('disk', 0o060666, os.makedev(254, 0)))
";
    expect_test::expect![[r#"
        unshare user EPERM
        unshare mounts EPERM
        setns EPERM
        mount EPERM
        umount EPERM
        chroot EPERM
        ptrace parent EPERM
        traceme EPERM
        process_vm_readv EPERM
        keyctl EPERM
        bpf EPERM
        perf EPERM
        userfaultfd EPERM
        io_uring EPERM
        clone user EPERM
        clone3 ENOSYS
        x32 socket EPERM
        reboot EPERM
        tiocsti EPERM
        device EACCES
    "#]]
    .assert_eq(&without_landlock(attempts(script).run().stdout()));
}

/// Landlock refuses a device file with EACCES before the missing capability would with EPERM.
fn without_landlock(said: String) -> String {
    let on = common::sandbox().describe().mechanisms.iter().any(|name| name == "landlock");
    if on { said } else { said.replace("device EPERM", "device EACCES") }
}

#[test]
fn set_user_id_programs_give_nothing() {
    // `mount` and `su` are set-user-id root; inside they run as the job or not at all.
    let ran =
        Case::sh("su -c id 2>&1; mount -t tmpfs none /tmp 2>&1; id -u; grep -E 'CapEff|NoNewPrivs' /proc/self/status")
            .run();
    let said = ran.stdout();
    assert!(said.contains("NoNewPrivs:\t1") && said.contains("CapEff:\t0000000000000000"), "{said}");
    assert!(!said.contains("uid=0"), "{said}");
}

#[test]
fn descriptors_of_ours_are_not_inherited() {
    // A file that is open without close-on-exec, as careless code leaves it.
    let secret = tempfile::NamedTempFile::new().unwrap();
    fs::write(secret.path(), "SECRET").unwrap();
    let file = fs::File::open(secret.path()).unwrap();
    let inherited = nix::unistd::dup(&file).unwrap();
    let mut text = String::new();
    fs::File::from(inherited.try_clone().unwrap()).read_to_string(&mut text).unwrap();
    assert_eq!(text, "SECRET");
    let script = "
fds = sorted(int(name) for name in os.listdir('/proc/self/fd'))
print([fd for fd in fds if fd > 2 and os.path.exists(f'/proc/self/fd/{fd}')])
print([os.readlink(f'/proc/self/fd/{fd}').split(':')[0] for fd in (0, 1, 2)])
";
    attempts(script).run().prints("[]\n['/dev/null', 'pipe', 'pipe']\n");
    drop(inherited);
}

#[test]
fn the_helper_refuses_to_be_used_from_inside() {
    let ran = Case::sh("/run/zeroerr-jail __jail supervise </dev/null; echo $?; /run/zeroerr-jail; echo $?").run();
    ran.prints("1\n2\n");
    assert!(Path::new("/proc/self").exists());
}
