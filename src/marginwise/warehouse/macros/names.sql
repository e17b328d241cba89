{# Schemas carry their own names: `core` is `core`. On a server with other schemas beside them they all begin alike. #}
{% macro generate_schema_name(custom_schema_name, node) -%}
    {%- set name = custom_schema_name | trim if custom_schema_name else target.schema -%}
    {{ env_var('MARGINWISE_BUILD_PREFIX', '') ~ name }}
{%- endmacro %}
