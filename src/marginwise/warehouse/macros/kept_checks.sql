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
    {%- for reference in contract['references'] -%} {%- do flips.extend(flips_of_parents(reference)) -%} {%- endfor -%}
    {%- if not execute -%} {{- return(landed) -}} {%- endif -%}
    {%- if table in var('whole_tables') -%} {{- return(judged_as_a_whole(landed)) -}} {%- endif -%}
    {%- set told = places_told(table) if table in var('tables_told') else files_come_and_gone(table) -%}
    {%- set found = {'come': [], 'gone': [], 'flipped': []} -%}
    {%- for row in run_query(made_beside('told', told) ~ what_is_told(table, flips)).rows -%} {%- do found[row[0]].append(row[1]) -%} {%- endfor -%}
    {%- set has_come = is_in_state('landed_rows', 'come', table, found['come']) -%}
    {%- set reasons = [] -%}
    {%- if found['gone'] -%} {%- do reasons.append(is_in_state('before', 'gone', table, found['gone'])) -%} {%- endif -%}
    {%- for number in found['flipped'] -%} {%- do reasons.append(flips[number | int].reason) -%} {%- endfor -%}
    {%- set begun = made_beside('landed', 'select * from ' ~ landed ~ ' as landed_rows where ' ~ has_come)
        ~ made_beside('touched', places_where(reasons or ['false']))
        ~ made_beside('keys', keys_reached(contract, types, reasons)) -%}
    {%- set new = namespace(keys=gives_any(begun, own_touched('keys'))) -%}
    {%- for round in range(1, 20) if new.keys -%}
        {%- set of_this_round = ' where _round = ' ~ round -%}
        {%- set new.keys = gives_any(places_of_keys(contract, round), own_touched() ~ of_this_round) -%}
        {%- if new.keys -%} {%- set new.keys = gives_any(keys_of_places(contract, round), own_touched('keys') ~ of_this_round) -%} {%- endif -%}
    {%- endfor -%}
    {%- if new.keys and is_any(own_touched('keys') ~ ' where _round = 19') -%} {{- return(judged_as_a_whole(landed)) -}} {%- endif -%}
    {%- set spans = spans_of_places() -%}
    {%- if spans -%} {%- do run_query(landed_rows_of_places(landed, spans, has_come)) -%} {%- endif -%}
    {{- return(own_touched('landed')) -}}
{% endmacro %}

{% macro judged_as_a_whole(landed) %}
    {%- do run_query(made_beside('touched', places_where(['true']))) -%}
    {{- return(landed) -}}
{% endmacro %}

{% macro made_beside(what, query) -%}
    drop table if exists {{ own_touched(what) }};
    create table {{ own_touched(what) }} as ({{ query }});
{% endmacro %}

{# Has a relation any row? Asked while the model is compiled; true while dbt only parses. #}
{% macro is_any(relation) -%} {{- return(gives_any('', relation)) -}} {%- endmacro %}

{# Runs statements and tells whether a relation then has any row. #}
{% macro gives_any(statements, relation) -%}
    {{- return(not execute or run_query(statements ~ ' select 1 from ' ~ relation ~ ' limit 1').rows | length > 0) -}}
{%- endmacro %}

{# Which files came and which are gone, or that places are told; and of what else a parent flipped, by number. #}
{% macro what_is_told(table, flips) -%}
    {% if table in var('tables_told') -%}
    select 'gone' as told, 'by place' as what where exists (select 1 from {{ own_touched('told') }})
    {%- else -%}
    select distinct state as told, _file_hash as what from {{ own_touched('told') }}
    {%- endif %}
    {%- for flipped in flips %}
    union all
    select 'flipped', '{{ loop.index0 }}' where exists (select 1 from {{ flipped.parents }} as flipped)
    {%- endfor %}
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

{# Has the row come, or is it gone? By its place both: what was there is gone, what is there has come. Few files are named by
   themselves: no other part of a table is read then. #}
{% macro is_in_state(alias, state, table, hashes) -%}
    {%- if table in var('tables_told') -%} {{ is_among(alias, row_place(), own_touched('told')) }}
    {%- else -%}
    {%- if hashes | length <= 500 -%} {{ alias }}._file_hash in ('{{ hashes | join("', '") }}') and {% endif -%}
    ({{ file_identity(alias) }}) in (select {{ file_identity() }} from {{ own_touched('told') }} where state = '{{ state }}')
    {%- endif -%}
{%- endmacro %}

{% macro has_place_in(alias, condition='true') -%} {{ is_among(alias, row_place(), own_touched(), condition) }} {%- endmacro %}

{# Each reason asks for its own rows: what is rare is found without reading all. #}
{% macro places_where(reasons) -%}
    {%- for reason in reasons %}
    {{ 'union' if not loop.first }}
    select distinct {{ row_place() | join(', ') }}, 0 as _round from {{ this }} as before
    where {{ reason }}
    {%- endfor %}
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
        and not {{ has_place_in('before') }};
{%- endmacro %}

{% macro keys_of_places(contract, round) -%}
    insert into {{ own_touched('keys') }}
    select distinct {{ contract['key'] | join(', ') }}, {{ round }} as _round from {{ this }} as before
    where
        {{ has_place_in('before', '_round = ' ~ round) }}
        and {{ contract['key'] | join(' is not null and ') }} is not null
        and not {{ is_among('before', contract['key'], own_touched('keys')) }};
{%- endmacro %}

{% macro landed_rows_of_places(landed, spans, has_come) -%}
    insert into {{ own_touched('landed') }}
    select * from {{ landed }} as landed_rows
    where
        {{ may_be_a_place('landed_rows', spans) }}
        and {{ has_place_in('landed_rows') }}
        and not ({{ has_come }})
{%- endmacro %}

{# May the row lie in one of those places, by its number alone? Told as constants, beside the join that says whether it does. #}
{% macro may_be_a_place(alias, spans) -%}
    (
        {%- for span in spans -%}
        {{ ' or ' if not loop.first }}{{ alias }}._row_number between {{ span[0] }} and {{ span[1] }}
        {%- else %} false
        {%- endfor -%}
    )
{%- endmacro %}

{# The spans of row numbers in which those places lie, so far apart that an engine skips what of a large file lies between them. #}
{% macro spans_of_places() -%}
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
    {{- return(run_query(spans).rows) -}}
{%- endmacro %}

{# The keys of parents of which an accepted row came, or went, run by run, and the rows of before that this concerns. One that came
   concerns those that wait for it: they are warned of, or do not count, also where another file's row has mended them. #}
{% macro flips_of_parents(reference) -%}
    {%- set columns, flips = reference['to_columns'] | join(', '), [] -%}
    {%- set waiting = ['not before._is_current'] + (['before._warnings is not null'] if reference['on_violation'] == 'warn' else []) -%}
    {%- for sign, concerned in (('>', waiting), ('<', ['true'])) -%}
        {%- set parents -%}
        (
            select {{ columns }} from {{ changed('chk_' ~ reference['table']) }}
            group by {{ columns }}, _run
            having sum(case when _is_current then _change else 0 end) {{ sign }} 0
        )
        {%- endset -%}
        {%- set are_theirs = is_among('before', reference['columns'], parents, listed=reference['to_columns']) -%}
        {%- for condition in concerned -%}
            {%- do flips.append({'parents': parents, 'reason': condition ~ ' and ' ~ are_theirs}) -%}
        {%- endfor -%}
    {%- endfor -%}
    {{- return(flips) -}}
{%- endmacro %}
