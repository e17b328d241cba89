{#
    Which landed rows a kept chk_<table> judges anew: rows of files that came, and beside them the rows of before whose
    finding may change with what came or went: those of the same key, and those whose parent came or went.
    A file is told by its content, its date and the day it landed; a table whose rows are not each made of one row of
    one file (`whole_tables`) is judged as a whole.
#}

{% macro row_place() %} {{- return(['_raw_table', '_file_hash', '_row_number']) -}} {% endmacro %}

{# What a checked row tells the models behind it when it comes or goes: its keys, and what they are dated by. #}
{% macro told_of_rows(contract) %}
    {%- set told = contract['key'] + ['_is_current'] -%}
    {%- for reference in contract['references'] -%} {%- do told.extend(reference['columns']) -%} {%- endfor -%}
    {%- for column in contract['columns'] if column['name'].endswith('_id') -%} {%- do told.append(column['name']) -%} {%- endfor -%}
    {{- return(told | unique | list) -}}
{% endmacro %}

{# The places of the rows of before that are judged anew. #}
{% macro own_touched() -%}
    {{ return(this.incorporate(path={'schema': generate_schema_name('changed', none), 'identifier': this.identifier ~ '__touched'}, type='table')) }}
{%- endmacro %}

{# The landed rows that are judged anew: all of them in a full refresh, else a table of those few, made while the model is
   compiled, before its own query runs. #}
{% macro rows_judged_anew(contract, landed, types, table) %}
    {%- if execute and not is_kept() -%} {{- return(landed) -}} {%- endif -%}
    {%- set flips = [] -%}
    {%- for reference in contract['references'] -%} {%- do flips.append(parents_flipped(reference)) -%} {%- endfor -%}
    {%- if not execute or table in var('whole_tables') -%}
        {%- if execute -%} {%- do run_query(places_touched('true')) -%} {%- endif -%}
        {{- return(landed) -}}
    {%- endif -%}
    {%- set files = own_touched().incorporate(path={'identifier': this.identifier ~ '__files'}) -%}
    {%- set rows_anew = own_touched().incorporate(path={'identifier': this.identifier ~ '__landed'}) -%}
    {%- do run_query(files_come_and_gone(files, landed)) -%}
    {%- do run_query(rows_of_files_come(rows_anew, landed, files)) -%}
    {%- set reasons = [] -%}
    {%- if run_query('select 1 from ' ~ files ~ ' limit 1').rows | length -%}
        {%- do reasons.append(is_of_file('reached', files, 'gone')) -%}
    {%- endif -%}
    {%- for flipped in flips if run_query(flipped ~ ' limit 1').rows | length -%}
        {%- do reasons.append(is_child('reached', contract['references'][flips.index(flipped)], flipped)) -%}
    {%- endfor -%}
    {%- do run_query(places_touched(sharing_key(contract, rows_anew, types, reasons) if reasons else 'false')) -%}
    {%- set still = namespace(growing=true) -%}
    {%- for _ in range(20) if reasons -%}
        {%- if still.growing -%}
            {%- set still.growing = run_query(places_beside(contract) ~ ' limit 1').rows | length > 0 -%}
            {%- if still.growing -%}
                {%- do run_query('insert into ' ~ own_touched() ~ ' ' ~ places_beside(contract)) -%}
            {%- endif -%}
        {%- endif -%}
    {%- endfor -%}
    {%- if run_query('select 1 from ' ~ own_touched() ~ ' limit 1').rows | length -%}
        {%- do run_query(rows_of_places_touched(rows_anew, landed, files)) -%}
    {%- endif -%}
    {{- return(rows_anew) -}}
{% endmacro %}

{% macro files_come_and_gone(files, landed) -%}
    {%- set named = 'select distinct _raw_table, _file_hash, _file_date, _landed_date from ' -%}
    drop table if exists {{ files }};
    create table {{ files }} as (
        select 'come' as state, * from ({{ named }} {{ landed }} except {{ named }} {{ this }}) as come
        union all
        select 'gone' as state, * from ({{ named }} {{ this }} except {{ named }} {{ landed }}) as gone
    );
{%- endmacro %}

{% macro rows_of_files_come(rows_anew, landed, files) -%}
    drop table if exists {{ rows_anew }};
    create table {{ rows_anew }} as (
        select * from {{ landed }} as landed_rows where {{ is_of_file('landed_rows', files, 'come') }}
    );
{%- endmacro %}

{% macro rows_of_places_touched(rows_anew, landed, files) -%}
    insert into {{ rows_anew }}
    select * from {{ landed }} as landed_rows
    where {{ has_place_in('landed_rows', own_touched()) }} and not {{ is_of_file('landed_rows', files, 'come') }}
{%- endmacro %}

{% macro places_touched(condition) -%}
    drop table if exists {{ own_touched() }};
    create table {{ own_touched() }} as (
        select distinct {{ row_place() | join(', ') }} from {{ this }} as before
        where {{ condition }}
    );
{%- endmacro %}

{% macro is_of_file(alias, files, state) -%}
    exists (
        select 1 from {{ files }} as files
        where
            files.state = '{{ state }}' and files._raw_table = {{ alias }}._raw_table
            and files._file_hash = {{ alias }}._file_hash and files._landed_date = {{ alias }}._landed_date
            and files._file_date is not distinct from {{ alias }}._file_date
    )
{%- endmacro %}

{% macro has_place_in(alias, relation) -%}
    exists (
        select 1 from {{ relation }} as places
        where
            {% for column in row_place() -%}
            {{ 'and ' if not loop.first }}places.{{ column }} = {{ alias }}.{{ column }}
            {% endfor %}
    )
{%- endmacro %}

{# A row of before with the key of a row that came, or of one of before that a reason reaches: rows of one key are judged
   against each other, so all of them or none. #}
{% macro sharing_key(contract, rows_anew, types, reasons) -%}
    {{ row_hash(row_identity(contract), 'before.') }} in (
        select {{ row_hash(fitted_identity(contract, types)) }} from {{ rows_anew }} as rows_come
        union
        select {{ row_hash(row_identity(contract), 'reached.') }} from {{ this }} as reached
        where {{ reasons | join(' or ') }}
    )
{%- endmacro %}

{# Places not touched yet of rows that share their key with a row in a touched place: one place may hold several keys. #}
{% macro places_beside(contract) -%}
    select distinct {{ row_place() | join(', ') }} from {{ this }} as before
    where
        {{ row_hash(row_identity(contract), 'before.') }} in (
            select {{ row_hash(row_identity(contract), 'touched_rows.') }} from {{ this }} as touched_rows
            where {{ has_place_in('touched_rows', own_touched()) }}
        )
        and not {{ has_place_in('before', own_touched()) }}
{%- endmacro %}

{# Keys of a parent of which an accepted row came or went, run by run. #}
{% macro parents_flipped(reference) -%}
    {%- set columns = reference['to_columns'] | join(', ') -%}
    select {{ columns }} from {{ changed('chk_' ~ reference['table']) }}
    group by {{ columns }}, _run
    having sum(case when _is_current then _change else 0 end) <> 0
{%- endmacro %}

{% macro is_child(alias, reference, flipped) -%}
    exists (
        select 1 from ({{ flipped }}) as parents
        where
            {% for column in reference['columns'] -%}
            {{ 'and ' if not loop.first }}parents.{{ reference['to_columns'][loop.index0] }} = {{ alias }}.{{ column }}
            {% endfor %}
    )
{%- endmacro %}
