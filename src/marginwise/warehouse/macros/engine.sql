{# What differs between engines, and nothing else. Every macro here is dispatched; models call only these. #}

{# Surrogate key: a hash of the natural key's parts, null when any part is null. #}
{% macro key(columns) -%}
    md5({% for column in columns %}cast({{ column }} as {{ dbt.type_string() }}){% if not loop.last %} || '|' || {% endif %}{% endfor %})
{%- endmacro %}

{# Round a double to the money type, half away from zero, equal on every engine. #}
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

{# The value as the type, or null where it does not fit: the check stage names what became null. #}
{% macro fitting(expression, type) -%}
    {{ return(adapter.dispatch('fitting', 'marginwise')(expression, type)) }}
{%- endmacro %}
{% macro duckdb__fitting(expression, type) -%} try_cast({{ expression }} as {{ type }}) {%- endmacro %}
