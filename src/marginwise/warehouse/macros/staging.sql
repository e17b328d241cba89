{# Staging shows what the checks accepted: the contract's columns in order, the source's own, and where the row lies. #}
{% macro staged_rows(table) %}
{%- set contract = contract_tables()[table] -%}
{%- set types = types_of(source('landed', table)) -%}
{%- set columns = contract['columns'] | map(attribute='name') | list + extra_columns(types) -%}
with

checked as (
    {{ checked_rows(table, contract, types) }}
)

select
    {{ (columns + ['_source', '_file_hash', '_row_number']) | join(',\n    ') }}
from checked
where _is_current
{% endmacro %}
