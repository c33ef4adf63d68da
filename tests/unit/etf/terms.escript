#!/usr/bin/env escript
%% Random terms and what a BEAM says of them: the oracle of test_beam.c.
%%
%% Lines: "T hex phash2/27 phash2/32" for each term, then "C i j order same" for pairs of them, where
%% order is -1, 0 or 1 as by < and ==, and same is 1 when =:=. Arguments: a seed and a count.
-mode(compile).

main([Seed, Count]) ->
    rand:seed(exsss, list_to_integer(Seed)),
    Terms = list_to_tuple(fixed() ++ [term(4) || _ <- lists:seq(1, list_to_integer(Count))]),
    Size = tuple_size(Terms),
    [print_term(element(I, Terms)) || I <- lists:seq(1, Size)],
    [print_order(I, I rem Size + 1, Terms) || I <- lists:seq(1, Size)],
    [print_order(rand:uniform(Size), rand:uniform(Size), Terms) || _ <- lists:seq(1, 20 * Size)],
    [print_order(I, J, Terms) || I <- lists:seq(1, length(fixed())), J <- lists:seq(1, length(fixed()))],
    ok.

print_term(T) ->
    Hex = [io_lib:format("~2.16.0b", [B]) || <<B>> <= term_to_binary(T, [{minor_version, 2}])],
    io:format("T ~s ~b ~b~n", [Hex, erlang:phash2(T), erlang:phash2(T, 1 bsl 32)]).

print_order(I, J, Terms) ->
    {A, B} = {element(I, Terms), element(J, Terms)},
    Order = if A < B -> -1; A == B -> 0; true -> 1 end,
    Same = if A =:= B -> 1; true -> 0 end,
    io:format("C ~b ~b ~b ~b~n", [I - 1, J - 1, Order, Same]).

%% Terms whose order or hash is easily got wrong.
fixed() ->
    Ref = make_ref(),
    [Port | _] = erlang:ports(),
    N = 9007199254740993,
    [1, 1.0, 1.5, 2, N, float(N), N - 1, -N, -float(N), 1 bsl 60, (1 bsl 60) * 1.0, 1 bsl 63,
     1 bsl 64, -(1 bsl 63), 1 bsl 1000, 1.0e300, -1.0e300, (1 bsl 1000) * 1.0, trunc(1.0e300), 0, 0.0, 5.0e-324,
     -5.0e-324, [], {}, #{}, <<>>, <<1:1>>, <<0:1>>, <<1:3>>, <<128>>, <<128, 0:1>>, [1 | 2], [1, 2], [1 | []],
     [1 | a], [1 | <<>>], [[]], [a | {}], "abc", "abcd", [97, 98 | c], lists:seq(0, 300), lists:duplicate(7, 255), [97, x, 98],
     self(), Port, Ref, fun lists:map/2, fun erlang:self/0, fun(X) -> {X, Ref} end, fun() -> 1 end,
     #{1 => a}, #{1.0 => a}, #{1 => 1}, #{1 => 1.0}, #{a => 1, b => 2}, #{a => 2, b => 1}, #{a => 1, c => 0},
     #{#{a => 1} => 1, #{a => 1.0} => 2}, #{{a, 1} => x, {a, 1.0} => x, {b, 0} => x}, 'a b', '\x{e9}t\x{e9}', '\x{20ac}', nil, true,
     pid("a@b", 1, 0, 1), pid("a@b", 0, 1, 1), pid("a@c", 0, 1, 1), pid("a@b", 0, 1, 2), pid("a@b", 4000000000, 4000000000, 2),
     ref("a@b", 1, [1, 2, 3]), ref("a@b", 1, [9, 2, 3]), ref("a@b", 1, [1, 2, 4]), ref("a@c", 0, [0, 0, 0]),
     ref("a@b", 1, [1, 2, 3, 4, 5]), maps:from_list([{I, I} || I <- lists:seq(1, 100)]),
     maps:from_list([{I, I} || I <- lists:seq(1, 99)] ++ [{100, x}]), maps:from_list([{I, I} || I <- lists:seq(0, 99)]),
     maps:from_list([{coord(Q, R), Q * R} || Q <- lists:seq(-3, 3), R <- lists:seq(-3, 3)]),
     maps:from_list([{coord(Q, R), Q + R} || Q <- lists:seq(-3, 3), R <- lists:seq(-3, 3)])].

coord(Q, R) -> #{'__struct__' => 'Elixir.Minotaur.GameEngine.Coord', q => Q, r => R}.

pid(Node, Id, Serial, Creation) ->
    binary_to_term(<<131, 88, (atom_bytes(Node))/binary, Id:32, Serial:32, Creation:32>>).

ref(Node, Creation, Words) ->
    binary_to_term(<<131, 90, (length(Words)):16, (atom_bytes(Node))/binary, Creation:32,
                     <<<<W:32>> || W <- Words>>/binary>>).

atom_bytes(Text) -> <<119, (length(Text)), (list_to_binary(Text))/binary>>.

term(0) -> leaf(rand:uniform(12));
term(Depth) ->
    case rand:uniform(10) of
        1 -> [term(Depth - 1) || _ <- lists:seq(1, rand:uniform(6) - 1)];
        2 -> [rand:uniform(256) - 1 || _ <- lists:seq(1, rand:uniform(20))];
        3 -> lists:foldl(fun(_, Tail) -> [term(Depth - 1) | Tail] end, term(0), lists:seq(1, rand:uniform(4)));
        4 -> list_to_tuple([term(Depth - 1) || _ <- lists:seq(1, rand:uniform(6) - 1)]);
        5 -> maps:from_list([{term(Depth - 1), term(Depth - 1)} || _ <- lists:seq(1, rand:uniform(7) - 1)]);
        6 -> maps:from_list([{term(0), term(0)} || _ <- lists:seq(1, rand:uniform(60))]);
        7 -> coord(rand:uniform(3), rand:uniform(3));
        8 -> list_to_tuple([rand:uniform(3) || _ <- lists:seq(1, 250 + rand:uniform(10))]);
        _ -> term(0)
    end.

leaf(1) -> rand:uniform(7) - 4;
leaf(2) -> (rand:uniform(1 bsl 34) - (1 bsl 33)) bsr rand:uniform(30);
leaf(3) -> (rand:uniform(1 bsl 70) - (1 bsl 69)) bsr rand:uniform(20);
leaf(4) -> (rand:uniform(1 bsl 2100) - (1 bsl 2099)) bsr rand:uniform(2000);
leaf(5) -> (rand:uniform() - 0.5) * math:pow(2.0, rand:uniform(140) - 70);
leaf(6) -> float(rand:uniform(9) - 5) + 0.0;
leaf(7) -> element(rand:uniform(8), {ok, error, undefined, a, b, 'Elixir.Minotaur', '\x{f6}', '\x{1f3b2}'});
leaf(8) -> rand:bytes(rand:uniform(30) - 1);
leaf(9) -> <<(rand:uniform(1 bsl 20)):(rand:uniform(19))>>;
leaf(10) -> element(rand:uniform(4), {self(), make_ref(), pid("x@y", rand:uniform(5), 0, 7), ref("x@y", 7, [rand:uniform(3), 2])});
leaf(11) -> element(rand:uniform(3), {fun lists:seq/2, fun lists:seq/3, fun maps:get/2});
leaf(12) -> [].
