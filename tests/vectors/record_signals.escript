#!/usr/bin/env escript
%% Record what a BEAM sends to a peer, in the forms that the peer's flags ask for.
%%
%% usage: record_signals.escript > signals_otpNN.tsv
%%
%% This program plays the peer: it starts a BEAM that connects to it, without EPMD, shakes hands as
%% the accepting side, and writes down what comes. It does so once for each set of flags. Lines:
%%     conversation <TAB> name <TAB> flags      both in hex from here on
%%     frame <TAB> hex                          a frame as it came, without its length, in order
%%     signal <TAB> hex [<TAB> hex]             control tuple and message, as the sender knows them
%% Signals are term_to_binary(Term, [{minor_version, 2}]); '_' in a tuple stands for an element that
%% the sender cannot know, = for the tuple of the signal before. In hex, (xx*n) stands for n times
%% the bytes xx. The reading pauses once, so that processes with large binaries have to take turns.
-mode(compile).
-export([hold/1]).

-define(PEER, "r@127.1").
-define(COOKIE, "cookie").
-define(OURS, 16#d07df7fbd).
-define(SEND_SENDER, 16#80000).
-define(EXIT_PAYLOAD, 16#400000).
-define(FRAGMENTS, 16#800000).
-define(ATOM_CACHE, 16#2000).

main(["sender", Name]) ->
    sender(flags(Name));
main([]) ->
    [conversation(Name) || Name <- ["all", "old", "uncached", "plain"]].

flags("all") -> ?OURS;
flags("old") -> ?OURS band bnot (?SEND_SENDER bor ?EXIT_PAYLOAD);
flags("uncached") -> ?OURS band bnot ?ATOM_CACHE;
flags("plain") -> ?OURS band bnot (?ATOM_CACHE bor ?FRAGMENTS).

conversation(Name) ->
    Flags = flags(Name),
    {ok, Listen} = gen_tcp:listen(0, [binary, {active, false}, {ip, {127, 0, 0, 1}}, {recbuf, 8192}]),
    {ok, Port} = inet:port(Listen),
    Erl = "+zdbbl 32 -start_epmd false -dist_listen false -hidden -name s@127.1 -setcookie " ?COOKIE
          " -erl_epmd_port " ++ integer_to_list(Port),
    Sender = open_port({spawn_executable, os:find_executable("escript")},
                       [{args, [escript:script_name(), "sender", Name]}, {env, [{"ERL_FLAGS", Erl}]},
                        binary, exit_status, {line, 10000000}]),
    {ok, Socket} = gen_tcp:accept(Listen),
    handshake(Socket, Flags),
    ok = inet:setopts(Socket, [{packet, 4}, {active, once}]),
    io:format("conversation\t~s\t~.16b~n", [Name, Flags]),
    record(Socket, Sender, Flags band (?ATOM_CACHE bor ?FRAGMENTS) =/= 0).

receive2(Socket) ->
    {ok, <<Size:16>>} = gen_tcp:recv(Socket, 2),
    {ok, Data} = gen_tcp:recv(Socket, Size),
    Data.

send2(Socket, Data) ->
    ok = gen_tcp:send(Socket, <<(byte_size(Data)):16, Data/binary>>).

handshake(Socket, Flags) ->
    <<"N", _/binary>> = receive2(Socket),
    send2(Socket, <<"sok">>),
    send2(Socket, <<"N", Flags:64, 4711:32, 7:32, (length(?PEER)):16, ?PEER>>),
    <<"r", Challenge:32, _/binary>> = receive2(Socket),
    send2(Socket, <<"a", (erlang:md5([?COOKIE, integer_to_list(Challenge)]))/binary>>).

%% What comes from the sender: frames on the socket, lines on its standard output.
record(Socket, Sender, Header) ->
    receive
        {tcp, Socket, Frame} ->
            Frame =:= <<>> orelse io:format("frame\t~s~n", [hex(Frame)]),
            binary:match(Frame, <<"pause">>) =/= nomatch andalso timer:sleep(1000),
            ok = inet:setopts(Socket, [{active, once}]),
            record(Socket, Sender, Header);
        {tcp_closed, Socket} ->
            record(Socket, Sender, Header);
        {Sender, {data, {eol, <<"ask\t", Text/binary>>}}} ->
            ok = gen_tcp:send(Socket, frame(binary_to_term(base64:decode(Text)), Header)),
            record(Socket, Sender, Header);
        {Sender, {data, {eol, Line}}} ->
            io:format("~s~n", [Line]),
            record(Socket, Sender, Header);
        {Sender, {exit_status, 0}} ->
            ok
    end.

frame(Terms, true) -> [131, $D, 0, [tl(binary_to_list(external(Term))) || Term <- Terms]];
frame(Terms, false) -> [$p, [external(Term) || Term <- Terms]].

external(Term) -> term_to_binary(Term, [{minor_version, 2}]).

hex(<<>>) -> [];
hex(Data) ->
    case [{Unit, Count} || Size <- [1, 2, 3, 4], {Unit, Count} <- [run(Data, Size)], Count > 8] of
        [{Unit, Count} | _] ->
            <<_:(byte_size(Unit) * Count)/binary, Rest/binary>> = Data,
            ["(", plain(Unit), "*", integer_to_list(Count), ")" | hex(Rest)];
        [] ->
            <<Byte:1/binary, Rest/binary>> = Data,
            [plain(Byte) | hex(Rest)]
    end.

plain(Data) -> [io_lib:format("~2.16.0b", [Byte]) || <<Byte>> <= Data].

%% How often the data begin with their first bytes.
run(Data, Size) when byte_size(Data) < Size -> {<<>>, 0};
run(Data, Size) ->
    <<Unit:Size/binary, Rest/binary>> = Data,
    {Unit, run(Rest, Unit, 1)}.

run(Data, Unit, Count) ->
    Size = byte_size(Unit),
    case Data of
        <<Unit:Size/binary, Rest/binary>> -> run(Rest, Unit, Count + 1);
        _ -> Count
    end.

%% The BEAM that sends. It tells each signal that it causes.

sender(Flags) ->
    put(flags, Flags),
    true = net_kernel:connect_node(list_to_atom(?PEER)),
    plain_signals(),
    watched(),
    spawns(),
    traced(),
    Flags =:= ?OURS andalso begin [message(Term) || Term <- terms()], header_sizes(), evolution() end,
    has(?FRAGMENTS) andalso has(?EXIT_PAYLOAD) andalso fragments(),
    timer:sleep(3000),
    halt(0).

signal(Tuple) -> io:format("signal\t~s~n", [text(Tuple)]).
signal(Tuple, Message) -> io:format("signal\t~s\t~s~n", [text(Tuple), hex(external(Message))]).

text(Tuple) ->
    case put(last, Tuple) of
        Tuple -> "=";
        _ -> hex(external(Tuple))
    end.

has(Flag) -> get(flags) band Flag =/= 0.

%% Let the peer send this.
ask(Terms) -> io:format("ask\t~s~n", [base64:encode(term_to_binary(Terms))]).

peer_pid() ->
    binary_to_term(<<131, 88, 119, (length(?PEER)), ?PEER, 91:32, 0:32, 7:32>>).
peer_ref() ->
    binary_to_term(<<131, 90, 3:16, 119, (length(?PEER)), ?PEER, 7:32, 1:32, 2:32, 3:32>>).
peer() -> list_to_atom(?PEER).

message(Term) ->
    {target, peer()} ! Term,
    signal({6, self(), '', target}, Term).

sent(Traced, To, Term) ->
    case has(?SEND_SENDER) of
        true when Traced -> signal({23, self(), To, '_'}, Term);
        true -> signal({22, self(), To}, Term);
        false when Traced -> signal({12, '', To, '_'}, Term);
        false -> signal({2, '', To}, Term)
    end.

%% A signal with a reason, which is in the tuple or behind it.
ended(Payload, Old, Elements, Reason) ->
    case has(?EXIT_PAYLOAD) of
        true -> signal(list_to_tuple([Payload | Elements]), Reason);
        false -> signal(list_to_tuple([Old | Elements] ++ [Reason]))
    end.

%% A process that does as it is told, and is awaited when it ends.
start(Fun) -> spawn(fun() -> Fun(), hold([]) end).
hold(_) -> receive {'end', Reason} -> exit(Reason) end.

finish(Pid, Reason) ->
    Ref = monitor(process, Pid),
    Pid ! {'end', Reason},
    receive {'DOWN', Ref, _, _, _} -> timer:sleep(50) end.

until(Condition) -> Condition() orelse begin timer:sleep(10), until(Condition) end.

plain_signals() ->
    To = peer_pid(),
    To ! hello,
    sent(false, To, hello),
    To ! 42,
    sent(false, To, 42),
    peer_ref() ! to_alias,
    signal({33, self(), peer_ref()}, to_alias),
    true = link(To),
    signal({1, self(), To}),
    true = unlink(To),
    signal({35, '_', self(), To}),
    true = group_leader(self(), To),
    signal({7, self(), To}),
    true = exit(To, {shutdown, why}),
    ended(26, 8, [self(), To], {shutdown, why}),
    [begin
         Ref = monitor(process, Object),
         signal({19, self(), Seen, Ref}),
         true = demonitor(Ref),
         signal({20, self(), Seen, Ref})
     end || {Object, Seen} <- [{To, To}, {{target, peer()}, target}]].

%% Processes that the peer watches, and such that are linked to it.
watched() ->
    To = peer_pid(),
    Linked = start(fun() -> link(To) end),
    signal({1, Linked, To}),
    finish(Linked, {bye, 2}),
    ended(24, 3, [Linked, To], {bye, 2}),
    ask([{1, To, Linked}]),
    ended(24, 3, [Linked, To], noproc),
    timer:sleep(50),
    [begin
         Pid = start(fun() -> register(kid, self()) end),
         until(fun() -> whereis(kid) =:= Pid end),
         ask([{19, To, Object, peer_ref()}]),
         until(fun() -> process_info(Pid, monitored_by) =/= {monitored_by, []} end),
         finish(Pid, Reason),
         ended(28, 21, [case Object of kid -> kid; pid -> Pid end, To, peer_ref()], Reason)
     end || Object <- [kid], Reason <- [{done, 3}, normal]],
    Pid = start(fun() -> ok end),
    ask([{19, To, Pid, peer_ref()}]),
    until(fun() -> process_info(Pid, monitored_by) =/= {monitored_by, []} end),
    finish(Pid, #{why => [done]}),
    ended(28, 21, [Pid, To, peer_ref()], #{why => [done]}),
    ask([{19, To, nobody, peer_ref()}]),
    ended(28, 21, [nobody, To, peer_ref()], noproc),
    timer:sleep(50).

spawns() ->
    To = peer_pid(),
    [begin
         Ref = spawn_request(peer(), amod, afun, Arguments, Options),
         MFA = {amod, afun, length(Arguments)},
         signal({29, Ref, self(), group_leader(), MFA, Options}, Arguments)
     end || Arguments <- [[], [arg, 1]], Options <- [[], [monitor], [link]]],
    [begin
         ask([{29, peer_ref(), To, To, {erlang, send, 2}, Options}, [self(), began]]),
         receive began -> ok end,
         signal({31, peer_ref(), To, Flags, '_'}),
         timer:sleep(50),
         Flags =:= 2 andalso ended(28, 21, ['_', To, peer_ref()], normal),
         Flags =:= 1 andalso ended(24, 3, ['_', To], normal)
     end || {Options, Flags} <- [{[], 0}, {[monitor], 2}, {[link], 1}]],
    ask([{29, peer_ref(), To, To, {erlang, node, 0}, [unheard_of]}, []]),
    signal({31, peer_ref(), To, 0, badopt}),
    timer:sleep(50).

traced() ->
    To = peer_pid(),
    seq_trace:set_token(label, 17),
    To ! traced,
    sent(true, To, traced),
    {target, peer()} ! traced,
    signal({16, self(), '', target, '_'}, traced),
    peer_ref() ! traced,
    signal({34, self(), peer_ref(), '_'}, traced),
    Ref = spawn_request(peer(), amod, afun, [traced], [monitor]),
    signal({30, Ref, self(), group_leader(), {amod, afun, 1}, [monitor], '_'}, [traced]),
    Linked = start(fun() -> link(To) end),
    signal({1, Linked, To}),
    finish(Linked, {traced, bye}),
    ended(25, 13, [Linked, To, '_'], {traced, bye}),
    seq_trace:set_token([]).

terms() ->
    Free = {captured, 1},
    [ok, {ok, '', []}, #{ok => error, error => ok}, {self(), make_ref(), hd(erlang:ports())},
     {fun lists:map/2, fun(X) -> {X, Free} end}, [improper | ok],
     {1, -2.5, <<"text">>, <<1:3>>, 1 bsl 70, "string"}, [1, 255, 256, -1, 1 bsl 31, -1 bsl 63],
     maps:from_list([{I, {I}} || I <- lists:seq(1, 40)])].

atoms(Prefix, Numbers) -> [list_to_atom(Prefix ++ integer_to_list(I)) || I <- Numbers].

%% Counts of references, odd and even, to more than a header holds; atoms at the edges of lengths.
header_sizes() ->
    [message(atoms("x", lists:seq(1, Count))) || Count <- [1, 2, 3, 4, 5, 16, 17, 252, 253, 1]],
    Texts = [lists:duplicate(255, $a), lists:duplicate(127, $é) ++ "a", lists:duplicate(128, $é),
             lists:duplicate(255, 16#1d11e), lists:duplicate(64, 16#20ac)],
    Long = [list_to_atom(Text) || Text <- Texts],
    [message(Term) || Term <- Long ++ [[lists:last(Long), fresh1 | Long]]].

%% A long conversation about atoms that share slots of the cache: those of one number, for a slot
%% follows from an atom's place in the table of atoms, which the fillers go through once.
evolution() ->
    Generations = [begin
                       Atoms = atoms([$a + G], lists:seq(1, 24)),
                       _ = atoms("filler" ++ integer_to_list(G) ++ "_", lists:seq(1, 2048 - 24)),
                       Atoms
                   end || G <- lists:seq(1, 6)],
    All = list_to_tuple(lists:append(Generations)),
    _ = rand:seed(exsss, {25, 27, 29}),
    [message([element(rand:uniform(tuple_size(All)), All) || _ <- lists:seq(1, rand:uniform(12))])
     || _ <- lists:seq(1, 40)].

%% Signals of more than one fragment: each kind, then of several processes by turns.
fragments() ->
    To = peer_pid(),
    Bytes = fun(Byte, Count) -> binary:copy(<<Byte>>, Count) end,
    [message({exactly, Bytes(9, Count)}) || Count <- [65400, 65536, 131072]],
    true = exit(To, {large, Bytes(3, 100000)}),
    ended(26, 8, [self(), To], {large, Bytes(3, 100000)}),
    Pid = start(fun() -> ok end),
    ask([{19, To, Pid, peer_ref()}]),
    until(fun() -> process_info(Pid, monitored_by) =/= {monitored_by, []} end),
    finish(Pid, {large, Bytes(4, 100000)}),
    ended(28, 21, [Pid, To, peer_ref()], {large, Bytes(4, 100000)}),
    Ref = spawn_request(peer(), amod, afun, [Bytes(5, 100000)], []),
    signal({29, Ref, self(), group_leader(), {amod, afun, 1}, []}, [Bytes(5, 100000)]),
    has(?ATOM_CACHE) andalso by_turns(Bytes).

by_turns(Bytes) ->
    message(pause),
    Self = self(),
    Senders = [spawn(fun() -> message({before, Byte, Bytes(Byte, 700000), behind, Atom}),
                              Self ! sent end)
               || {Byte, Atom} <- [{16, one}, {17, two}, {18, three}]],
    timer:sleep(100),
    erase(last),
    message(between),
    [receive sent -> ok end || _ <- Senders],
    erase(last),
    message(last).
