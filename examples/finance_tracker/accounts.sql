create table accounts (
  id serial primary key,
  name varchar(100) not null,
  balance numeric(12,2) not null default 0
);
insert into accounts (name, balance) values ('checking', 1000.00), ('savings', 5000.00);
