{#
    Which landed rows a kept chk_<table> judges anew: rows of files that came, and beside them the rows of before whose
    finding may change with what came or went: those of the same key, and those whose parent came or went.
    A file is told by its content, its date and the day it landed. Of a table whose rows are not each made of one row of one
    file, `ops.landed_places` tells the places that came, went or changed (`tables_told`); where it cannot, the table is
    judged as a whole (`whole_tables`).
#}

{% macro row_place() %} {{- return(['_raw_table', '_file_hash', '_row_number']) -}} {% endmacro %}

{# What a checked row tells the models behind it when it comes or goes: its keys, and what they are dated by. #}
{% macro told_of_rows(contract) %}
    {%- set told = row_identity(contract) + ['_is_current'] -%}
    {%- for reference in contract['references'] -%} {%- do told.extend(reference['columns']) -%} {%- endfor -%}
    {%- for column in contract['columns'] if column['name'].endswith('_id') -%} {%- do told.append(column['name']) -%} {%- endfor -%}
    {{- return(told | unique | list) -}}
{% endmacro %}

{# Tables beside `changed.<model>`: the places of the rows of before that are judged anew, and what they are found by. #}
{% macro own_touched(what='touched') -%}
    {{ return(this.incorporate(path={'schema': generate_schema_name('changed', none), 'identifier': this.identifier ~ '__' ~ what}, type='table')) }}
{%- endmacro %}

{# The landed rows that are judged anew: all of them in a full refresh, else a table of those few, made while the model is
   compiled, before its own query runs.

   Rows of one key are judged against each other, so all of them or none; and what one place of a file holds comes and goes
   together. So keys lead to places and places to keys, round by round, until none is new: mostly after the first. #}
{% macro rows_judged_anew(contract, landed, types, table) %}
    {%- if execute and not is_kept() -%} {{- return(landed) -}} {%- endif -%}
    {%- set flips = [] -%}
    {%- for reference in contract['references'] -%} {%- do flips.append(parents_flipped(reference)) -%} {%- endfor -%}
    {%- if not execute -%} {{- return(landed) -}} {%- endif -%}
    {%- if table in var('whole_tables') -%} {{- return(judged_as_a_whole(landed)) -}} {%- endif -%}
    {%- set is_by_place = table in var('tables_told') -%}
    {%- do make_beside('told', places_told(table) if is_by_place else files_come_and_gone(table)) -%}
    {%- do make_beside('landed', 'select * from ' ~ landed ~ ' as landed_rows where ' ~ is_in_state('landed_rows', 'come', table)) -%}
    {%- set reasons = [] -%}
    {%- if is_any(own_touched('told') ~ ('' if is_by_place else " where state = 'gone'")) -%}
        {%- do reasons.append(is_in_state('before', 'gone', table)) -%}
    {%- endif -%}
    {%- for flipped in flips if is_any('(' ~ flipped ~ ') as flipped') -%}
        {%- set reference = contract['references'][flips.index(flipped)] -%}
        {%- do reasons.append(is_among('before', reference['columns'], '(' ~ flipped ~ ')', listed=reference['to_columns'])) -%}
    {%- endfor -%}
    {%- do make_beside('touched', places_where(reasons | join(' or ') or 'false')) -%}
    {%- do make_beside('keys', keys_reached(contract, types, reasons)) -%}
    {%- set new = namespace(keys=is_any(own_touched('keys'))) -%}
    {%- for round in range(1, 20) if new.keys -%}
        {%- do run_query(places_of_keys(contract, round)) -%}
        {%- set new.keys = is_any(own_touched() ~ ' where _round = ' ~ round) -%}
        {%- if new.keys -%}
            {%- do run_query(keys_of_places(contract, round)) -%}
            {%- set new.keys = is_any(own_touched('keys') ~ ' where _round = ' ~ round) -%}
        {%- endif -%}
    {%- endfor -%}
    {%- if new.keys and is_any(own_touched('keys') ~ ' where _round = 19') -%} {{- return(judged_as_a_whole(landed)) -}} {%- endif -%}
    {%- if is_any(own_touched()) -%} {%- do run_query(landed_rows_of_places(landed, table)) -%} {%- endif -%}
    {{- return(own_touched('landed')) -}}
{% endmacro %}

{% macro judged_as_a_whole(landed) %}
    {%- do make_beside('touched', places_where('true')) -%}
    {{- return(landed) -}}
{% endmacro %}

{% macro make_beside(what, query) -%}
    {%- do run_query('drop table if exists ' ~ own_touched(what) ~ '; create table ' ~ own_touched(what) ~ ' as (' ~ query ~ ');') -%}
{%- endmacro %}

{# Has a relation any row? Asked while the model is compiled; true while dbt only parses. #}
{% macro is_any(relation) -%}
    {{- return(not execute or run_query('select 1 from ' ~ relation ~ ' limit 1').rows | length > 0) -}}
{%- endmacro %}

{# A file is told by its content, its date and the day it landed. #}
{% macro file_identity(prefix='') -%}
    {%- set p = prefix ~ '.' if prefix else '' -%}
    {{- return([p ~ '_raw_table', p ~ '_file_hash', p ~ '_landed_date', 'coalesce(' ~ p ~ "_file_date, date '0001-01-01')"] | join(', ')) -}}
{%- endmacro %}

{% macro files_come_and_gone(table) -%}
    {%- set here -%}
    select raw_table as _raw_table, file_hash as _file_hash, file_date as _file_date, cast(landed_at as date) as _landed_date
    from {{ source('ops', 'files') }}
    where is_active and raw_table in (select raw_table from {{ source('ops', 'table_feeds') }} where table_name = '{{ table }}')
    {%- endset -%}
    with here as (
        {{ here }}
    ),

    -- of one raw table, all rows of a file have one date and one day: a hash alone is found sooner than all four together
    held as (
        {%- for raw_table in run_query('select distinct _raw_table from ' ~ this ~ ' order by 1').columns[0].values() %}
        {{ 'union all' if not loop.first }}
        select '{{ raw_table }}' as _raw_table, _file_hash, min(_file_date) as _file_date, min(_landed_date) as _landed_date
        from {{ this }}
        where _raw_table = '{{ raw_table }}'
        group by _file_hash
        {%- else %}
        select _raw_table, _file_hash, _file_date, _landed_date from {{ this }}
        {%- endfor %}
    )

    select 'come' as state, * from (select * from here except select * from held) as come
    union all
    select 'gone' as state, * from (select * from held except select * from here) as gone
{%- endmacro %}

{# The places that are no more what they were. #}
{% macro places_told(table) -%}
    select _raw_table, _file_hash, _row_number from {{ source('ops', 'landed_places') }}
    where table_name = '{{ table }}'
{%- endmacro %}

{# Has the row come, or is it gone? By its place both: what was there is gone, what is there has come. #}
{% macro is_in_state(alias, state, table) -%}
    {%- if table in var('tables_told') -%} {{ is_among(alias, row_place(), own_touched('told')) }}
    {%- else -%} {{ is_of_file(alias, state) }}
    {%- endif -%}
{%- endmacro %}

{# Is the row of a file that came or is gone? Few files are named by themselves: no other part of a table is read then. #}
{% macro is_of_file(alias, state) -%}
    {%- set listed -%} {{ own_touched('told') }} where state = '{{ state }}' {%- endset -%}
    {%- set hashes = run_query('select distinct _file_hash from ' ~ listed).columns[0].values() -%}
    {%- if hashes | length <= 500 -%}
    {{ alias }}._file_hash in ('{{ hashes | join("', '") }}') and
    {% endif -%}
    ({{ file_identity(alias) }}) in (select {{ file_identity() }} from {{ listed }})
{%- endmacro %}

{% macro has_place_in(alias, condition='true') -%} {{ is_among(alias, row_place(), own_touched(), condition) }} {%- endmacro %}

{% macro places_where(condition) -%}
    select distinct {{ row_place() | join(', ') }}, 0 as _round from {{ this }} as before
    where {{ condition }}
{%- endmacro %}

{# The keys of rows that came and of those that a reason reaches; rows without a key share it with none. #}
{% macro keys_reached(contract, types, reasons) -%}
    {%- set key = contract['key'] -%}
    select distinct {{ key | join(', ') }}, 0 as _round from (
        select
            {%- for name in key %}
            {{ fitted_column(contract['columns'] | selectattr('name', 'equalto', name) | first, types) }} as {{ name }}{{ ',' if not loop.last }}
            {%- endfor %}
        from {{ own_touched('landed') }} as landed_rows
        {%- for reason in reasons %}
        union all
        select {{ key | join(', ') }} from {{ this }} as before where {{ reason }}
        {%- endfor %}
    ) as reached
    where {{ key | join(' is not null and ') }} is not null
{%- endmacro %}

{% macro places_of_keys(contract, round) -%}
    insert into {{ own_touched() }}
    select distinct {{ row_place() | join(', ') }}, {{ round }} as _round from {{ this }} as before
    where
        {{ is_among('before', contract['key'], own_touched('keys'), '_round = ' ~ (round - 1)) }}
        and not {{ has_place_in('before') }}
{%- endmacro %}

{% macro keys_of_places(contract, round) -%}
    insert into {{ own_touched('keys') }}
    select distinct {{ contract['key'] | join(', ') }}, {{ round }} as _round from {{ this }} as before
    where
        {{ has_place_in('before', '_round = ' ~ round) }}
        and {{ contract['key'] | join(' is not null and ') }} is not null
        and not {{ is_among('before', contract['key'], own_touched('keys')) }}
{%- endmacro %}

{% macro landed_rows_of_places(landed, table) -%}
    insert into {{ own_touched('landed') }}
    select * from {{ landed }} as landed_rows
    where
        {{ may_be_a_place('landed_rows') }}
        and {{ has_place_in('landed_rows') }}
        and not ({{ is_in_state('landed_rows', 'come', table) }})
{%- endmacro %}

{# May the row lie in one of those places, by its number alone? Told as constants, beside the join that says whether it does: spans that
   are so far apart that an engine skips what of a large file lies between them. #}
{% macro may_be_a_place(alias) -%}
    {%- set spans -%}
    with files as (
        select _file_hash, min(_row_number) as first_row, max(_row_number) as last_row from {{ own_touched() }}
        group by _file_hash
    ),

    begun as (
        select
            *,
            case
                when first_row <= 100000 + max(last_row) over (
                    order by first_row, _file_hash rows between unbounded preceding and 1 preceding
                ) then 0
                else 1
            end as is_first
        from files
    )

    select min(first_row), max(last_row) from (
        select *, sum(is_first) over (order by first_row, _file_hash) as span_number from begun
    ) as numbered
    group by span_number
    order by span_number
    {%- endset -%}
    (
        {%- for span in run_query(spans).rows -%}
        {{ ' or ' if not loop.first }}{{ alias }}._row_number between {{ span[0] }} and {{ span[1] }}
        {%- else %} false
        {%- endfor -%}
    )
{%- endmacro %}

{# Keys of a parent of which an accepted row came or went, run by run. #}
{% macro parents_flipped(reference) -%}
    {%- set columns = reference['to_columns'] | join(', ') -%}
    select {{ columns }} from {{ changed('chk_' ~ reference['table']) }}
    group by {{ columns }}, _run
    having sum(case when _is_current then _change else 0 end) <> 0
{%- endmacro %}
