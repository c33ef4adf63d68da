#!/usr/bin/env escript
%% Record what a BEAM sends when signals are large. (record_signals.escript: all other signals)
%%
%% usage: record_fragments.escript plain > fragments_plain.tsv     without the atom cache
%%        record_fragments.escript cached > fragments_cached.tsv   with it
%% EPMD must be running, at ERL_EPMD_PORT.
%%
%% This program plays the peer: it registers in EPMD, shakes hands as the accepting side, and starts
%% a BEAM that connects to it and sends it signals of every kind that can be large, of sizes around
%% those at which a fragment begins.
%% Lines of the output:
%%     frame <TAB> hex     a frame as it came, without its length, in order
%%     message <TAB> hex   a term that was sent to `target`, as term_to_binary(Term, [{minor_version, 2}]) writes it, in order
%% In hex, (xx*n) stands for n times the byte xx.
-mode(compile).

main([Sending, Cookie, Peer]) ->
    sender(Sending, list_to_atom(Cookie), list_to_atom(Peer));
main(["plain"]) ->
    play("plain", 16#d07df5fbd);
main(["cached"]) ->
    play("cached", 16#d07df7fbd).

play(Sending, Flags) ->
    Name = "rec" ++ integer_to_list(rand:uniform(1000000)),
    Cookie = "cookie" ++ integer_to_list(rand:uniform(1000000)),
    {ok, Listen} = gen_tcp:listen(0, [binary, {active, false}, {ip, {127, 0, 0, 1}}]),
    {ok, Port} = inet:port(Listen),
    Epmd = register_in_epmd(Name, Port),
    Peer = Name ++ "@127.0.0.1",
    Self = escript:script_name(),
    Sender = open_port({spawn_executable, os:find_executable("escript")},
                       [{args, [Self, Sending, Cookie, Peer]}, binary, exit_status, {line, 10000000}]),
    {ok, Socket} = gen_tcp:accept(Listen),
    handshake(Socket, Cookie, Peer, Flags),
    monitor_name(Socket, Peer),
    record(Socket),
    messages(Sender),
    gen_tcp:close(Epmd).

register_in_epmd(Name, Port) ->
    EpmdPort = list_to_integer(os:getenv("ERL_EPMD_PORT", "4369")),
    {ok, Epmd} = gen_tcp:connect({127, 0, 0, 1}, EpmdPort, [binary, {active, false}]),
    Request = <<120, Port:16, 77, 0, 6:16, 5:16, (length(Name)):16, (list_to_binary(Name))/binary, 0:16>>,
    ok = gen_tcp:send(Epmd, <<(byte_size(Request)):16, Request/binary>>),
    {ok, <<_, 0, _/binary>>} = gen_tcp:recv(Epmd, 0),
    Epmd.

receive2(Socket) ->
    {ok, <<Size:16>>} = gen_tcp:recv(Socket, 2),
    {ok, Data} = gen_tcp:recv(Socket, Size),
    Data.

send2(Socket, Data) ->
    ok = gen_tcp:send(Socket, <<(byte_size(Data)):16, Data/binary>>).

handshake(Socket, Cookie, Peer, Flags) ->
    <<"N", _/binary>> = receive2(Socket),
    send2(Socket, <<"sok">>),
    send2(Socket, <<"N", Flags:64, 4711:32, 7:32, (length(Peer)):16, (list_to_binary(Peer))/binary>>),
    <<"r", Challenge:32, _/binary>> = receive2(Socket),
    send2(Socket, <<"a", (erlang:md5([Cookie, integer_to_list(Challenge)]))/binary>>).

record(Socket) ->
    case gen_tcp:recv(Socket, 4, 3000) of
        {ok, <<0:32>>} ->
            record(Socket);
        {ok, <<Size:32>>} ->
            {ok, Frame} = gen_tcp:recv(Socket, Size),
            io:format("frame\t~s~n", [hex(Frame)]),
            record(Socket);
        {error, _} ->
            ok
    end.

messages(Sender) ->
    receive
        {Sender, {data, {eol, Line}}} -> io:format("~s~n", [Line]), messages(Sender);
        {Sender, {exit_status, _}} -> ok
    end.

hex(<<>>) -> [];
hex(<<Byte, _/binary>> = Data) ->
    Run = run(Data, Byte, 0),
    <<_:Run/binary, Rest/binary>> = Data,
    Text = case Run of
               _ when Run > 8 -> io_lib:format("(~2.16.0b*~b)", [Byte, Run]);
               _ -> lists:duplicate(Run, io_lib:format("~2.16.0b", [Byte]))
           end,
    [Text | hex(Rest)].

run(<<Byte, Rest/binary>>, Byte, Count) -> run(Rest, Byte, Count + 1);
run(_, _, Count) -> Count.

%% Ask to hear of the end of `watched`, as a process of the peer.
monitor_name(Socket, Peer) ->
    Atom = fun(Text) -> <<119, (length(Text)), (list_to_binary(Text))/binary>> end,
    Tuple = <<104, 4, 97, 19, (pid_bytes(Peer))/binary, (Atom("watched"))/binary,
              90, 3:16, (Atom(Peer))/binary, 7:32, 1:32, 2:32, 3:32>>,
    Frame = <<131, $D, 0, Tuple/binary>>,
    ok = gen_tcp:send(Socket, <<(byte_size(Frame)):32, Frame/binary>>).

pid_bytes(Peer) ->
    <<88, 119, (length(Peer)), (list_to_binary(Peer))/binary, 91:32, 0:32, 7:32>>.

%% The BEAM that sends.

sender(Sending, Cookie, Peer) ->
    Name = list_to_atom("snd" ++ os:getpid() ++ "@127.0.0.1"),
    {ok, _} = net_kernel:start([Name, longnames]),
    erlang:set_cookie(node(), Cookie),
    Watched = spawn(fun() -> receive Reason -> exit(Reason) end end),
    register(watched, Watched),
    true = net_kernel:connect_node(Peer),
    send_large(Sending, Peer, Watched),
    halt(0).

%% Sizes are those of control tuple and message together.
send_large(Sending, Peer, Watched) ->
    Ends = [65535, 65536, 65537, 131071, 131072, 131073, 200000],
    Binaries = [binary:copy(<<I>>, Size - tuple_size_of(Sending) - 5)
                || {I, Size} <- lists:enumerate(Ends)],
    [{target, Peer} ! Binary || Binary <- Binaries],
    Pid = binary_to_term(<<131, (pid_bytes(atom_to_list(Peer)))/binary>>),
    Alias = binary_to_term(<<131, 90, 3:16, 119, (length(atom_to_list(Peer))),
                             (atom_to_binary(Peer))/binary, 7:32, 4:32, 5:32, 6:32>>),
    Large = [{big, binary:copy(<<I>>, 70000)} || I <- lists:seq(11, 16)],
    [M1, M2, R1, R2, R3, A] = Large,
    Pid ! M1,
    Alias ! M2,
    exit(Pid, R1),
    {_, Ref} = spawn_monitor(fun() -> link(Pid), exit(R2) end),
    receive {'DOWN', Ref, _, _, _} -> ok end,
    Watched ! R3,
    timer:sleep(200),
    erlang:spawn_request(Peer, mod, fun_, [A], [{reply, no}]),
    timer:sleep(2000),
    [io:format("message\t~s~n", [hex(term_to_binary(Message, [{minor_version, 2}]))])
     || Message <- Binaries ++ [M1, M2, R1, R2, R3, [A]]].

tuple_size_of("plain") -> 4 + 15 + length(atom_to_list(node())) + 2 + 8;
tuple_size_of("cached") -> 4 + 15 + 2 + 2.
