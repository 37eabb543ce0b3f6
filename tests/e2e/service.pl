# A service for hosts without Python: it answers /health and /version. Where its release has a file `ill` it is ill,
# and where it has a file `dies` it ends before it answers anything. With a file `stubborn` it does not end when asked.
# It runs in the folder of its release: perl service.pl ADDRESS PORT
use strict;
use warnings;
use IO::Socket::INET;

my ($address, $port) = @ARGV;
open my $file, '<', 'version' or die "version: $!\n";
chomp(my $version = <$file>);
die "$version dies\n" if -e 'dies';
$SIG{TERM} = 'IGNORE' if -e 'stubborn';
my $started = "$$-" . time;

my $door = IO::Socket::INET->new(LocalAddr => $address, LocalPort => $port, Listen => 64, ReuseAddr => 1)
    or die "$address:$port: $!\n";
while (my $caller = $door->accept) {
    local $SIG{ALRM} = sub { close $caller };    # one that says nothing holds up nobody for long
    alarm 2;
    my $asked = <$caller> // '';
    while (defined(my $line = <$caller>)) { last if $line =~ /^\r?\n$/ }
    alarm 0;
    my ($status, $body) = ('404 Not Found', '{}');
    if ($asked =~ m{^GET /version }) {
        ($status, $body) = ('200 OK', qq({"version": "$version", "started": "$started"}));
    }
    elsif ($asked =~ m{^GET /health }) {
        ($status, $body) = -e 'ill' ? ('503 Ill', '{"status": "fail"}') : ('200 OK', '{"status": "pass"}');
    }
    print $caller "HTTP/1.1 $status\r\nContent-Type: application/json\r\nContent-Length: ", length $body,
        "\r\nConnection: close\r\n\r\n$body";
    close $caller;
}
