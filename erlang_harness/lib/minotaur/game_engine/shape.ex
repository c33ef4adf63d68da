defmodule Minotaur.GameEngine.Shape do
  @moduledoc """
  Checks a term against a declared shape and names the first field that does not fit.

  A shape is one of

  * `:any`, `:binary`, `:integer` (of 64 bits), `:positive_integer`, `:non_neg_integer`, `:uuid`,
    `:datetime_or_nil`
  * `{:one_of, values}`
  * `{:struct, module, fields}`: a struct with at least these fields, `[{name, shape}]`, checked in
    this order
  * `{:map, fields}`: any map with at least these fields
  * `{:either, what, structs}`: one of several structs, `what` naming their family
  * `{:list, shape}`: a proper list
  * `{:map_of, key_shape, shape}`; `{:map_of, key_shape, shape, field}` when `field` of every value
    must equal the value's key

  Errors are `{:error, path, reason}`: the path leads from the term to the field (field names, map
  keys, list indices), the reason is `:missing` or `{:expected, what}`.
  """

  alias Minotaur.GameEngine.Coord

  @type t :: atom | tuple
  @type path :: [term]
  @type reason :: :missing | {:expected, term}

  @int64_min -0x8000000000000000
  @int64_max 0x7FFFFFFFFFFFFFFF

  @doc "Tell whether `term` is an integer of 64 bits: larger ones are no integers to the game."
  defguard is_int64(term) when is_integer(term) and term >= @int64_min and term <= @int64_max

  @doc "Check `term` against `shape`."
  @spec check(term, t) :: :ok | {:error, path, reason}
  def check(term, shape) do
    with {:error, path, reason} <- walk(term, shape, []), do: {:error, Enum.reverse(path), reason}
  end

  # Paths are built backwards, and turned round once by check/2.

  defp walk(term, {:struct, module, fields}, path) do
    case term do
      %{__struct__: ^module} -> walk_fields(term, fields, path)
      _ -> expected({:struct, module}, path)
    end
  end

  defp walk(term, {:map, fields}, path) do
    if is_map(term), do: walk_fields(term, fields, path), else: expected(:map, path)
  end

  defp walk(term, {:either, what, structs}, path) do
    with %{__struct__: module} <- term,
         {:struct, _module, fields} <- List.keyfind(structs, module, 1) do
      walk_fields(term, fields, path)
    else
      _ -> expected({:struct, what}, path)
    end
  end

  defp walk(term, {:list, shape}, path) do
    if proper_list?(term) do
      first_error(Enum.with_index(term), fn {element, index} ->
        walk(element, shape, [index | path])
      end)
    else
      expected(:list, path)
    end
  end

  defp walk(term, {:map_of, key_shape, shape}, path),
    do: walk_map(term, path, key_shape, fn _key -> shape end)

  defp walk(term, {:map_of, key_shape, shape, field}, path),
    do: walk_map(term, path, key_shape, &with_equal(shape, field, &1))

  defp walk(term, {:equal, shape, key}, path) do
    with :ok <- walk(term, shape, path) do
      if same?(term, key), do: :ok, else: expected({:equal, key}, path)
    end
  end

  defp walk(term, {:one_of, values} = what, path),
    do: if(term in values, do: :ok, else: expected(what, path))

  defp walk(term, what, path), do: if(scalar?(what, term), do: :ok, else: expected(what, path))

  defp walk_fields(term, fields, path) do
    first_error(fields, fn {name, shape} ->
      case term do
        %{^name => value} -> walk(value, shape, [name | path])
        _ -> {:error, [name | path], :missing}
      end
    end)
  end

  defp walk_map(term, path, key_shape, shape_of) when is_map(term) do
    # A struct is a map, with its module under an atom: it fails as a bad key, as it should.
    first_error(:maps.to_list(term), fn {key, value} ->
      with :ok <- walk_key(key, key_shape, [key | path]) do
        walk(value, shape_of.(key), [key | path])
      end
    end)
  end

  defp walk_map(_term, path, _key_shape, _shape_of), do: expected(:map, path)

  # What is wrong inside a key is told of the key as a whole: a path cannot lead into a key.
  defp walk_key(key, {:struct, module, _fields} = shape, path) do
    with {:error, _path, _reason} <- walk(key, shape, path), do: expected({:struct, module}, path)
  end

  defp walk_key(key, shape, path), do: walk(key, shape, path)

  defp with_equal({:struct, module, fields}, field, key) do
    {:struct, module, List.keyreplace(fields, field, 0, {field, {:equal, fields[field], key}})}
  end

  defp with_equal({:either, what, structs}, field, key),
    do: {:either, what, Enum.map(structs, &with_equal(&1, field, key))}

  defp same?(%Coord{} = a, %Coord{} = b), do: Coord.hex(a) === Coord.hex(b)
  defp same?(a, b), do: a === b

  defp scalar?(:any, _term), do: true
  defp scalar?(:binary, term), do: is_binary(term)
  defp scalar?(:integer, term), do: is_int64(term)
  defp scalar?(:positive_integer, term), do: is_int64(term) and term > 0
  defp scalar?(:non_neg_integer, term), do: is_int64(term) and term >= 0
  defp scalar?(:uuid, term), do: uuid?(term)
  defp scalar?(:datetime_or_nil, term), do: term == nil or utc?(term)

  defp uuid?(
         <<a::binary-8, ?-, b::binary-4, ?-, c::binary-4, ?-, d::binary-4, ?-, e::binary-12>>
       ),
       do: lower_hex?(a <> b <> c <> d <> e)

  defp uuid?(_term), do: false

  defp lower_hex?(<<c, rest::binary>>) when c in ?0..?9 or c in ?a..?f, do: lower_hex?(rest)
  defp lower_hex?(rest), do: rest == ""

  defp utc?(
         %DateTime{calendar: Calendar.ISO, time_zone: "Etc/UTC", utc_offset: 0, std_offset: 0} =
           term
       ),
       do: real_date?(term) and real_time?(term)

  defp utc?(_term), do: false

  defp real_date?(%{year: year, month: month, day: day}) when year in 1970..9999,
    do: is_integer(month) and is_integer(day) and Calendar.ISO.valid_date?(year, month, day)

  defp real_date?(_term), do: false

  defp real_time?(%{hour: hour, minute: minute, second: second, microsecond: {us, precision}}) do
    hour in 0..23 and minute in 0..59 and second in 0..59 and us in 0..999_999 and
      precision in 0..6
  end

  defp real_time?(_term), do: false

  defp proper_list?([_ | rest]), do: proper_list?(rest)
  defp proper_list?(term), do: term == []

  defp first_error(enumerable, fun) do
    Enum.find_value(enumerable, :ok, fn element ->
      with :ok <- fun.(element), do: nil
    end)
  end

  defp expected(what, path), do: {:error, path, {:expected, what}}
end
