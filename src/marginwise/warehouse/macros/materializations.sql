{# DuckDB replaces a table or view in one statement, which is a transaction of its own: no relation beside it has to be made and
   renamed, and nothing has to be begun; only what was begun to compile it is committed. #}

{% materialization table, adapter='duckdb' %}
  {{ return(replace_relation('table')) }}
{% endmaterialization %}

{% materialization view, adapter='duckdb' %}
  {{ return(replace_relation('view')) }}
{% endmaterialization %}

{% macro replace_relation(kind) %}
  {%- set existing = load_cached_relation(this) -%}
  {%- set target = this.incorporate(type=kind) -%}
  {%- if existing is not none and existing.type != kind -%}
    {%- do drop_relation(existing) -%}
  {%- endif -%}
  {%- call statement('main', auto_begin=false) -%}
    create or replace {{ kind }} {{ target }} as (
      {{ model['compiled_code'] }}
    );
  {%- endcall -%}
  {%- do adapter.commit() -%}
  {{ return({'relations': [target]}) }}
{% endmacro %}
