{# What differs between engines, and nothing else. Every macro here is dispatched; models call only these. #}

{# Surrogate key: a hash of the natural key's parts, null when any part is null. Engines read, join and write its 16 bytes far sooner
   than the 32 letters they are told by. `of` names what they are of, where those of several kinds stand in one column: a customer may
   have the number of an order. #}
{% macro key(columns, of=none) -%}
    cast(md5(
    {%- if of %}'{{ of }}|' || {% endif %}
    {%- for column in columns %}cast({{ column }} as {{ dbt.type_string() }}){{ " || '|' || " if not loop.last }}{% endfor -%}
    ) as uuid)
{%- endmacro %}

{# The key that no thing has. #}
{% macro no_key() -%} cast('00000000-0000-0000-0000-000000000000' as uuid) {%- endmacro %}

{# One of several keys, the same on every engine: not each of them has a least one. #}
{% macro any_key(column) -%} cast(min(cast({{ column }} as {{ dbt.type_string() }})) as uuid) {%- endmacro %}

{# Round a double to the money type, half up, equal on every engine. #}
{% macro money(expression) -%}
    cast(floor(({{ expression }}) * 10000 + 0.5) / 10000 as decimal(18, 4))
{%- endmacro %}

{# Does the text match the regular expression anywhere? #}
{% macro matches(text, pattern) -%}
    {{ return(adapter.dispatch('matches', 'marginwise')(text, pattern)) }}
{%- endmacro %}
{% macro duckdb__matches(text, pattern) -%} regexp_matches({{ text }}, {{ pattern }}) {%- endmacro %}
{% macro postgres__matches(text, pattern) -%} ({{ text }} ~ {{ pattern }}) {%- endmacro %}

{# The store-local day of a UTC timestamp. #}
{% macro local_date(moment) -%}
    {%- if var('time_zone') in ('UTC', 'Etc/UTC') -%}
    cast({{ moment }} as date)
    {%- else -%}
    cast(timezone('{{ var("time_zone") }}', timezone('UTC', {{ moment }})) as date)
    {%- endif -%}
{%- endmacro %}

{# A column's type as DuckDB calls it. #}
{% macro type_name(column) -%}
    {{ return(adapter.dispatch('type_name', 'marginwise')(column)) }}
{%- endmacro %}
{% macro duckdb__type_name(column) -%} {{ return(column.dtype | lower) }} {%- endmacro %}
{% macro postgres__type_name(column) -%}
    {{ return(column.data_type | lower | replace('numeric', 'decimal') | replace('timestamp without time zone', 'timestamp')) }}
{%- endmacro %}

{# What a built table needs before it is read: its statistics, where the engine does not keep them itself. #}
{% macro analyzed() -%}
    {{ return(adapter.dispatch('analyzed', 'marginwise')()) }}
{%- endmacro %}
{% macro duckdb__analyzed() -%} {%- endmacro %}
{% macro postgres__analyzed() -%} {%- if model.config.materialized == 'table' -%} analyze {{ this }} {%- endif -%} {%- endmacro %}

{# The value as the type, or null where it does not fit: the check stage names what became null. #}
{% macro fitting(expression, type) -%}
    {{ return(adapter.dispatch('fitting', 'marginwise')(expression, type)) }}
{%- endmacro %}
{#
    DuckDB rounds '6.5' to a whole number and drops the offset of '2026-01-31T18:30:00+02:00': neither may pass in silence.
    An offset is a sign behind the date; it costs the time zone cast only where there is one. It also reads years that no
    reader's calendar has ('294248-01-01', 'infinity'): they are no time.
#}
{% macro duckdb__fitting(expression, type) -%}
    {%- if type == 'bigint' -%}
    case
        when try_cast({{ expression }} as double) = try_cast({{ expression }} as bigint)
            then try_cast({{ expression }} as bigint)
    end
    {%- elif type == 'timestamp' -%}
    case
        when strlen({{ expression }}) > 16 and regexp_matches(substr({{ expression }}, 12), '[+-]')
            then timezone('UTC', try_cast({{ expression }} as timestamp with time zone))
        when try_cast({{ expression }} as timestamp) between timestamp '0001-01-01' and timestamp '9999-12-31 23:59:59.999999'
            then try_cast({{ expression }} as timestamp)
    end
    {%- elif type == 'date' -%}
    case
        when try_cast({{ expression }} as date) between date '0001-01-01' and date '9999-12-31'
            then try_cast({{ expression }} as date)
    end
    {%- else -%}
    try_cast({{ expression }} as {{ type }})
    {%- endif -%}
{%- endmacro %}
{# What text means is decided once, by DuckDB, when rows are loaded into a server: text that is left did not fit. #}
{% macro postgres__fitting(expression, type) -%} cast(null as {{ type }}) {%- endmacro %}

{# A cheap hash of several values, nulls included: for finding candidates, never as a key. #}
{% macro row_hash(expressions, prefix='') -%}
    {{ return(adapter.dispatch('row_hash', 'marginwise')(expressions, prefix)) }}
{%- endmacro %}
{% macro duckdb__row_hash(expressions, prefix) -%} hash({{ prefix }}{{ expressions | join(', ' ~ prefix) }}) {%- endmacro %}
{% macro postgres__row_hash(expressions, prefix) -%}
    hashtextextended(
        {%- for expression in expressions -%}
        {{ " || chr(31) || " if not loop.first }}coalesce(cast({{ prefix }}{{ expression }} as text), chr(30))
        {%- endfor -%} , 0)
{%- endmacro %}

{# Where a row lies in its table: it holds within a transaction, and finding it again by this costs least. #}
{% macro row_address() -%}
    {{ return(adapter.dispatch('row_address', 'marginwise')()) }}
{%- endmacro %}
{% macro duckdb__row_address() -%} {{ return('rowid') }} {%- endmacro %}
{% macro postgres__row_address() -%} {{ return('ctid') }} {%- endmacro %}

{# How the engine works in a run. No table has an order: keeping that of the rows read would cost memory. For a run that exchanges rows see
   `options_for_few_rows`; one that makes everything anew takes what there is. #}
{% macro suited_to_the_run() -%} {{ adapter.dispatch('suited_to_the_run', 'marginwise')() }} {%- endmacro %}
{% macro duckdb__suited_to_the_run() -%}
    set global preserve_insertion_order = false;
    {%- for name, value in fromjson(env_var('MARGINWISE_OPTIONS_FOR_FEW_ROWS', '{}')).items() if not flags.FULL_REFRESH %}
    set global {{ name }} = '{{ value }}';
    {%- endfor -%}
{%- endmacro %}
{% macro postgres__suited_to_the_run() -%} {%- endmacro %}
