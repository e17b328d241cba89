{# Calendar arithmetic on dates; both engines count days as integers. #}

{% macro add_days(day, days) -%} ({{ day }} + cast({{ days }} as integer)) {%- endmacro %}

{% macro days_between(from_day, to_day) -%} cast({{ to_day }} - {{ from_day }} as integer) {%- endmacro %}

{# A declared day ('YYYY-MM-DD' from a variable) as a date, or null. #}
{% macro declared_day(name) -%}
    {%- if var(name) -%} cast('{{ var(name) }}' as date) {%- else -%} cast(null as date) {%- endif -%}
{%- endmacro %}

{# As of which day a store's numbers speak, over its orders that are no tests: the declared day, else the newest closed one. #}
{% macro as_of_day(order_date) -%}
    coalesce({{ declared_day('as_of') }}, {{ add_days('max(' ~ order_date ~ ')', -1) }})
{%- endmacro %}

{# One row per day between two days, both included: a relation with the column date_day. #}
{% macro day_series(from_day, to_day) -%}
    {{ return(adapter.dispatch('day_series', 'marginwise')(from_day, to_day)) }}
{%- endmacro %}
{% macro duckdb__day_series(from_day, to_day) -%}
    (select cast(unnest(generate_series({{ from_day }}, {{ to_day }}, interval 1 day)) as date) as date_day)
{%- endmacro %}
{% macro postgres__day_series(from_day, to_day) -%}
    (select cast(generate_series({{ from_day }}, {{ to_day }}, interval '1 day') as date) as date_day)
{%- endmacro %}
