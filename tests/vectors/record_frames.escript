#!/usr/bin/env escript
%% Record what a BEAM sends to a peer that has the atom cache and fragments.
%%
%% usage: record_frames.escript > frames.tsv        (epmd must be running)
%%
%% This program plays the peer: it registers in EPMD, shakes hands as the accepting side, and starts
%% a BEAM that connects to it and sends chosen terms to the name `target`. Lines of the output:
%%     frame <TAB> hex     a frame as it came, without its length, in order
%%     message <TAB> hex   a term that was sent to `target`, as term_to_binary(Term, [{minor_version, 2}]) writes it, in order
%% In hex, (xx*n) stands for n times the byte xx. The reading pauses once, so that two processes
%% with large binaries have to take turns.
-mode(compile).

main(["sender", Cookie, Peer]) ->
    sender(list_to_atom(Cookie), list_to_atom(Peer));
main([]) ->
    Name = "rec" ++ integer_to_list(rand:uniform(1000000)),
    Cookie = "cookie" ++ integer_to_list(rand:uniform(1000000)),
    {ok, Listen} = gen_tcp:listen(0, [binary, {active, false}, {ip, {127, 0, 0, 1}}]),
    {ok, Port} = inet:port(Listen),
    Epmd = register_in_epmd(Name, Port),
    Peer = Name ++ "@127.0.0.1",
    Self = escript:script_name(),
    Sender = open_port({spawn_executable, os:find_executable("escript")},
                       [{args, [Self, "sender", Cookie, Peer]}, binary, exit_status, {line, 10000000}]),
    {ok, Socket} = gen_tcp:accept(Listen),
    handshake(Socket, Cookie, Peer),
    record(Socket),
    messages(Sender),
    gen_tcp:close(Epmd).

register_in_epmd(Name, Port) ->
    {ok, Epmd} = gen_tcp:connect({127, 0, 0, 1}, 4369, [binary, {active, false}]),
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

handshake(Socket, Cookie, Peer) ->
    <<"N", _/binary>> = receive2(Socket),
    send2(Socket, <<"sok">>),
    send2(Socket, <<"N", 16#d07df7fbd:64, 4711:32, 7:32, (length(Peer)):16, (list_to_binary(Peer))/binary>>),
    <<"r", Challenge:32, _/binary>> = receive2(Socket),
    send2(Socket, <<"a", (erlang:md5([Cookie, integer_to_list(Challenge)]))/binary>>).

record(Socket) ->
    case gen_tcp:recv(Socket, 4, 3000) of
        {ok, <<0:32>>} ->
            record(Socket);
        {ok, <<Size:32>>} ->
            {ok, Frame} = gen_tcp:recv(Socket, Size),
            io:format("frame\t~s~n", [hex(Frame)]),
            binary:match(Frame, <<"pause">>) =/= nomatch andalso timer:sleep(1000),
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

%% The BEAM that sends.

sender(Cookie, Peer) ->
    Name = list_to_atom("snd" ++ os:getpid() ++ "@127.0.0.1"),
    {ok, _} = net_kernel:start([Name, longnames]),
    erlang:set_cookie(node(), Cookie),
    true = net_kernel:connect_node(Peer),
    Target = {target, Peer},
    Small = small(),
    [Target ! Message || Message <- Small],
    Self = self(),
    Target ! pause,
    Large = [{large, Byte, binary:copy(<<Byte>>, 1500000)} || Byte <- [1, 2]],
    [spawn(fun() -> Target ! Message, Self ! sent end) || Message <- Large],
    timer:sleep(100),
    Target ! between,
    [receive sent -> ok end || _ <- Large],
    Target ! last,
    timer:sleep(2000),
    [io:format("message\t~s~n", [hex(term_to_binary(Message, [{minor_version, 2}]))])
     || Message <- Small ++ [pause] ++ Large ++ [between, last]],
    halt(0).

small() ->
    Long = list_to_atom(lists:duplicate(200, 233)),
    Free = {captured, 1},
    [ok, ok, {ok, '', []}, #{ok => error, error => ok},
     {self(), make_ref(), hd(erlang:ports())},
     {fun lists:map/2, fun(X) -> {X, Free} end},
     {Long, Long}, [Long | ok], {1, 2.5, <<"text">>, <<1:3>>, 1 bsl 70, "string"}] ++
    [[atom(Round * 300 + I) || I <- lists:seq(1, 300)] || Round <- lists:seq(0, 8)] ++
    [[atom(I) || I <- lists:seq(1, 2700, 17)]].

atom(Number) -> list_to_atom("a" ++ integer_to_list(Number)).
